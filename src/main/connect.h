/* connect.h - a session's tunnel: opened at auth's word, ended from whatever side, taken over by a
 * newer connection.  Used by main only. */
#ifndef MAIN_CONNECT_H
#define MAIN_CONNECT_H

#include "main/sessions.h"
#include "main/workers.h"

/* Auth says that W may open MSG's session.  W gets its Tunnel or a refusal, at once or later. */
void connect_open(struct worker *w, const SessionOpen *msg);

/* Auth has started the accounting of S, or the tunnel is not to be. */
void connect_accounted(struct session *s, const AccountResult *msg);

/* The client has its answer: log, host-update script, events. */
void connect_up(struct session *s);

/* The connection of S's tunnel is gone; W says how it ended.  The session goes on in SESSION_ENDING
 * until its script has run, then idles, opens for a newer connection, or is forgotten. */
void connect_down(struct session *s, struct worker *w);

/* After a restart of main: the tunnel ended while nobody watched. */
void connect_lost(struct session *s);

/* The ticket of S died: forgets it, now or once its tunnel has ended. */
void connect_expired(struct session *s);

/* Tells auth how things stand with S, after either of us was started again. */
void connect_tell_auth(struct session *s);

/* Settings of the session from ROWS (borrowed).  ERR_CONF: it was logged. */
MUST_USE enum err connect_set_conf(struct session *s, ConfRow *const *row, size_t n);

#endif /* MAIN_CONNECT_H */
