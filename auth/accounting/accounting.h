/* accounting.h - who used the service, when, and for how much: the records of radius.md 5, whoever
 * takes them.
 *
 * An account stands for one logical session, from its first tunnel request on, over all its
 *tunnels:
 *
 *	begun     the server shall be told; nothing was sent
 *	started   the Start was taken.  From here on there will be one Stop
 *	over      the session has ended; the account lives on until its Stop was taken
 *
 * Every change that must not be lost is in the journal before anybody hears of it, so that an auth
 * process that is killed leaves an account which the next one ends.  Records that nobody took are
 * tried again, those of one account in their order, at most one Interim (RFC 2869 2.1) and one Stop
 * each; a server that is away is asked by one record at a time, more and more rarely.  Nothing here
 * blocks, and nothing but struct acct_ops reaches outside.  Used by auth/account.c. */
#ifndef AUTH_ACCOUNTING_ACCOUNTING_H
#define AUTH_ACCOUNTING_ACCOUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/backend/work.h"
#include "base/addr.h"
#include "base/err.h"
#include "base/journal.h"

struct accounting;
struct account;

/* Inner traffic over all tunnels of a session; rx is from the client. */
struct acct_traffic {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
};

/* RFC 2866 5.10. */
enum acct_cause {
	ACCT_USER_REQUEST = 1,
	ACCT_LOST_CARRIER = 2,
	ACCT_LOST_SERVICE = 3,
	ACCT_IDLE_TIMEOUT = 4,
	ACCT_SESSION_TIMEOUT = 5,
	ACCT_ADMIN_RESET = 6,
	ACCT_USER_ERROR = 17,
};

/* Whom an account is about; everything is copied. */
struct acct_subject {
	const char *sid, *user, *group, *vhost, *user_agent;
	struct endpoint remote, local; /* of the connection */
	int64_t begun;		       /* UNIX time of the login */
	uint32_t interval;	       /* seconds between Interims; 0: none */
	bool start_only;	       /* whoever takes the records wants no others */
};

enum acct_outcome {
	ACCT_TAKEN,
	ACCT_REFUSED, /* the answer was no; asking again gives the same */
	ACCT_FAILED,  /* there was no answer */
};

/* REASON is for the log, "" or e.g. "code 3". */
typedef void acct_done_fn(void *arg, enum acct_outcome outcome, const char *reason);

struct acct_ops {
	int64_t (*now)(void *arg); /* UNIX time */
	/* Hands REC to whoever keeps the accounts of its host.  DONE is called once, never inside
	 * of this, unless OWNER is freed before.  ERR_NOT_FOUND: nobody keeps them any more.
	 * ERR_STATE: not yet, accounting_tick tries again. */
	enum err (*send)(void *arg, TALLOC_CTX *owner, const struct acct_record *rec,
			 acct_done_fn *done, void *done_arg);
	/* The Start that account_start was called for has been answered. */
	void (*started)(void *arg, const char *sid, uint64_t worker, bool ok);
	/* Asks for the traffic of a live tunnel; account_count is the answer. */
	void (*ask)(void *arg, const char *sid);
	/* The last record there was has been taken or given up. */
	void (*idle)(void *arg);
};

struct acct_limits {
	unsigned at_once; /* records under way to one host's server, Starts apart */
	unsigned queued;  /* accounts with records that wait */
	int64_t age;	  /* seconds a record waits */
};

/* OPS is borrowed and gets ARG.  *OUT is a child of CTX and writes to J, which is borrowed. */
MUST_USE enum err accounting_new(TALLOC_CTX *ctx, struct journal *j, const struct acct_ops *ops,
				 void *arg, const struct acct_limits *limits,
				 struct accounting **out);

/* Takes over what the journal holds.  Tunnels count as live until somebody says otherwise. */
void accounting_restore(struct accounting *a);

/* NULL: nobody accounts for that session. */
struct account *account_find(const struct accounting *a, const char *sid);

/* The account of SUBJECT, new or brought up to date for a further connection.  *OUT belongs to A.
 * ERR_NOMEM. */
MUST_USE enum err account_begin(struct accounting *a, const struct acct_subject *subject,
				struct account **out);

/* False once the Start was taken.  Whoever wants nothing but Starts is asked for every tunnel. */
bool account_wants_start(const struct account *ac);

/* Sends the Start for a tunnel of WORKER with these inner addresses (family 0: none).  ops.started
 * follows, perhaps at once; of two calls only the later is answered. */
void account_start(struct account *ac, uint64_t worker, const struct addr *v4,
		   const struct addr *v6);

/* The session has a tunnel. */
void account_opened(struct account *ac, const struct addr *v4, const struct addr *v6);

/* What its tunnels carried up to now: an Interim is due. */
void account_count(struct account *ac, const struct acct_traffic *total);

/* Its tunnel has ended; TOTAL NULL: unknown.  GOES_ON: the session does, so an Interim is due. */
void account_closed(struct account *ac, enum acct_cause cause, const struct acct_traffic *total,
		    bool goes_on);

/* The session is over.  CAUSE 0: that of its last tunnel.  May free AC. */
void account_over(struct account *ac, enum acct_cause cause);

/* Calls FN for every account; FN may end it. */
void accounting_each(struct accounting *a, void (*fn)(void *arg, struct account *ac), void *arg);
const char *account_sid(const struct account *ac);
bool account_is_over(const struct account *ac);

/* Once a second: Interims, second tries, records that are too old. */
void accounting_tick(struct accounting *a);

/* The service stops and no tunnel will report any more: every session ends with Admin-Reset, and
 * what waits is sent as fast as it goes. */
void accounting_stop(struct accounting *a);

/* Logs every record that is left and gives it up. */
void accounting_give_up(struct accounting *a);

/* True when no record waits or is under way. */
bool accounting_is_idle(const struct accounting *a);

#endif /* AUTH_ACCOUNTING_ACCOUNTING_H */
