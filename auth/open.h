/* open.h - what becomes of a session after its login: tunnels (open.c), expiry and logout
 * (sessions.c), and what occtl asks (lists.c).  Used by the message handlers of auth. */
#ifndef AUTH_OPEN_H
#define AUTH_OPEN_H

#include "auth/process.h"

enum {
	COOKIE_SLACK = 15, /* seconds a cookie lives on beyond cookie-timeout (protocol.md 4.12) */
};

/* A login succeeded. */
MUST_USE enum err session_begin(struct auth *a, const struct login_grant *grant);

/* The session that COOKIE stands for on the host VHOST; NULL: the cookie is not acceptable. */
struct session *session_find(const struct worker *w, const char *vhost,
			     const ProtobufCBinaryData *cookie);

/* Logs that W's client came with a bad cookie, and charges him. */
void session_bad_cookie(const struct worker *w, const char *vhost);

/* What lines about S begin with; SID_SHORT is filled, and both are borrowed. */
struct log_ctx session_log(const struct session *s, char sid_short[TICKET_SHORT + 1]);

/* W asks what a client's cookies are worth (recall.c). */
void session_recall(struct worker *w, const Recall *msg);

/* W wants the tunnel of a session: main is asked, or W refused. */
void session_open(struct worker *w, const OpenSession *msg);

/* Main opened or ended a tunnel. */
void session_opened(struct auth *a, const SessionOpened *msg);
void session_closed(struct auth *a, const SessionClosed *msg);

/* The client logged out without a tunnel. */
void session_logout(struct auth *a, const Logout *msg);

/* occtl terminate, and the lists of occtl. */
void session_invalidate(struct auth *a, const Invalidate *msg);
void session_list(struct auth *a, const ListSessions *msg);

/* The logical session is over, whatever its tunnels do: main is told and its account ended.  REASON
 * END_UNSPECIFIED: as its last tunnel ended.  Frees S. */
void session_expire(struct auth *a, struct session *s, EndReason reason);

/* Ends sessions whose time is up. */
void sessions_expire(struct auth *a, int64_t now);

/* After a restart: tunnels whose workers are gone have ended unseen. */
void sessions_reconcile(struct auth *a);

#endif /* AUTH_OPEN_H */
