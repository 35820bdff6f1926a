/* account.h - accounting as the rest of auth sees it: sessions in, records to runners, questions to
 * main.  Used by open.c, sessions.c and the message handlers. */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include "auth/process.h"

/* The engine over the journal, with what it holds.  */
MUST_USE enum err accounts_open(struct auth *a);

/* W asks for the tunnel of S, with an Interim every INTERVAL seconds (0: none).  *NEEDED: a Start
 * is still to be sent, when main knows the addresses.  ERR_UNSUPPORTED: the host wants accounts
 * that nobody can keep; ERR_NOMEM. */
MUST_USE enum err accounts_begin(struct worker *w, const struct session *s, uint32_t interval,
				 bool *needed);

/* Main has addresses for the tunnel, and waits for an AccountResult. */
void accounts_start(struct auth *a, const AccountSession *msg);

void accounts_opened(struct auth *a, const SessionOpened *msg);

/* GOES_ON: the session is not over, accounts_over does not follow. */
void accounts_closed(struct auth *a, const SessionClosed *msg, bool goes_on);
void accounts_traffic(struct auth *a, const SessionTraffic *msg);

/* The session SID is over because of REASON; END_UNSPECIFIED: as its last tunnel ended. */
void accounts_over(struct auth *a, const char *sid, EndReason reason);

/* After a restart: the tunnel of S ended unseen. */
void accounts_lost(struct auth *a, const struct session *s);

/* After a restart: ends the accounts whose sessions are gone. */
void accounts_reconcile(struct auth *a);

void accounts_tick(struct auth *a);

/* The service stops: when every record is out, or some seconds have passed, the loop ends. */
void accounts_stop(struct auth *a);

/* While that goes on: main has gone, nobody will report the end of a tunnel any more. */
void accounts_main_gone(struct auth *a);

#endif /* AUTH_ACCOUNT_H */
