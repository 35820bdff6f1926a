/* control.h - the socket that occtl talks to (admin.md 5).  Used by main only.
 *
 * Only root and the server's own user are served.  The core implements struct control_ops; each
 * callback gets a request number and answers with control_reply_*() and then control_done(), at
 * once or whenever auth has answered.  A number whose client has gone is ignored, so the core
 * needs to remember nothing else. */
#ifndef MAIN_CONTROL_H
#define MAIN_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/values.h"
#include "ipc/ctl.pb-c.h"
#include "ipc/main.pb-c.h"
#include "main/ban.h"

struct control;

/* Whom a request means: everyone (users only), or whoever has this name, id or session. */
struct control_target {
	const char *user; /* NULL: not given; borrowed until the callback returns */
	uint32_t id;	  /* worker process id; 0: not given */
	const char *sid;  /* prefix of the session id (terminate only); NULL: not given */
};

/* "show status"; the definitions are in admin.md 12. */
struct control_status {
	pid_t main_pid, auth_pid;
	int64_t up_since, stats_since; /* UNIX time */
	uint32_t active_sessions, banned, tls_db_entries;
	uint64_t total_sessions, total_auth_failures;
	/* the current period */
	uint64_t handled, session_timeouts, idle_timeouts, errors, auth_failures;
	uint32_t avg_auth_time, max_auth_time;	     /* seconds */
	uint32_t avg_session_time, max_session_time; /* minutes */
	uint32_t min_mtu, max_mtu;		     /* 0: none known yet */
	uint64_t rx_bytes, tx_bytes;
	const ServerKeys *keys; /* borrowed; NULL: not known */
};

enum control_state {
	CONTROL_PRE_AUTH,
	CONTROL_AUTHENTICATING,
	CONTROL_CONNECTED,
	CONTROL_AUTH_FAILED
};

/* One connection, as "show user" prints it.  Everything is borrowed; NULL texts and lists and
 * family 0 mean that there is none. */
struct control_user {
	uint32_t id; /* worker process id */
	enum control_state state;
	const char *user, *group, *vhost, *device;
	uint32_t mtu;		   /* 0: not known */
	struct addr remote, local; /* outer addresses of the client and of the server */
	struct addr v4, v4_server, v6, v6_server;
	const char *user_agent, *hostname;
	uint64_t limit_rx, limit_tx; /* bytes per second; 0: none */
	uint64_t rx, tx;	     /* bytes from and to the client, live from the device */
	uint32_t dpd, keepalive;     /* seconds */
	int64_t connected_at,
		session_started_at; /* UNIX time of this connection and of the login */
	const char *sid;	    /* full session id */
	const char *tls_cipher, *dtls_cipher, *cstp_compression, *dtls_compression;
	const struct strv *dns, *nbns, *split_dns;
	const struct conf_routes *routes, *no_routes, *iroutes;
	bool restrict_to_routes;
	const struct conf_ports *restrict_to_ports;
};

/* What the core does for each request.  REQ is the request's number. */
struct control_ops {
	void (*status)(void *arg, uint64_t req); /* control_reply_status */
	/* control_reply_user for each that TARGET means; CTL_NOT_FOUND if none was meant to exist
	 */
	void (*users)(void *arg, uint64_t req, const struct control_target *target);
	void (*sessions)(void *arg, uint64_t req); /* ask auth, then control_reply_sessions */
	void (*bans)(void *arg, uint64_t req);	   /* control_reply_ban for each entry */
	/* CTL_OK when at least one connection was ended, else CTL_NOT_FOUND */
	void (*disconnect)(void *arg, uint64_t req, const struct control_target *target);
	/* As disconnect, and invalidates sessions; for sid control_done_sids with what auth said */
	void (*terminate)(void *arg, uint64_t req, const struct control_target *target);
	void (*unban)(void *arg, uint64_t req, const struct addr *addr);
	void (*reload)(void *arg, uint64_t req);
	void (*stop)(void *arg, uint64_t req);
	/* control_reply_config; CTL_NOT_FOUND: there is no such host */
	void (*config)(void *arg, uint64_t req, const CtlConfigOf *of);
};

/* Makes the listening socket at PATH, mode 0711, owned by UID and GID ((uid_t)-1: left alone); a
 * file that nobody listens on is replaced.  *FD is the caller's (a supervisor may keep a copy).
 * ERR_BUSY: another server listens there, or PATH is no socket.  ERR_TOO_LONG, ERR_SYS. */
MUST_USE enum err control_listen(const char *path, uid_t uid, gid_t gid, int *fd);

/* Serves FD, which is taken.  PATH is copied.  OPS and ARG are borrowed.  *OUT is a child of CTX;
 * freeing it drops the clients and closes FD but leaves the file, for a main that follows. */
MUST_USE enum err control_new(TALLOC_CTX *ctx, struct ev_loop *loop, int fd, const char *path,
			      const struct control_ops *ops, void *arg, struct control **out);

/* Orderly stop: removes the file and accepts nobody any more; clients keep their connection. */
void control_unlink(struct control *c);

/* It accepts clients: control_unlink was not called. */
bool control_is_open(const struct control *c);

void control_reply_status(struct control *c, uint64_t req, const struct control_status *status);
void control_reply_user(struct control *c, uint64_t req, const struct control_user *user);
void control_reply_sessions(struct control *c, uint64_t req, SessionRow *const *row, size_t n);
void control_reply_ban(struct control *c, uint64_t req, const struct ban_entry *ban);

/* Something was done for REQ already: should the rest find nothing (CTL_NOT_FOUND), it is CTL_OK.
 */
void control_reply_acted(struct control *c, uint64_t req);

/* Auth has died: nothing will come of what it was asked, and its clients are told so. */
void control_auth_lost(struct control *c);

/* Sends MSG as it is. */
void control_reply_config(struct control *c, uint64_t req, CtlConfig *msg);

/* Ends the answer to REQ.  The second form tells the sessions that were removed (CTL_OK) or that a
 * prefix did not tell apart (CTL_AMBIGUOUS). */
void control_done(struct control *c, uint64_t req, CtlResult result);
void control_done_sids(struct control *c, uint64_t req, CtlResult result, char *const *sid,
		       size_t n);
/* The same with N lines for the human. */
void control_done_text(struct control *c, uint64_t req, CtlResult result, char *const *line,
		       size_t n);

/* Somebody runs "show events"; when false, events need not be prepared. */
bool control_has_listener(const struct control *c);

/* Tells listeners that USER's tunnel came up or (REASON set, DURATION in seconds) ended. */
void control_event_connect(struct control *c, const struct control_user *user);
void control_event_disconnect(struct control *c, const struct control_user *user,
			      const char *reason, uint64_t duration);

#endif /* MAIN_CONTROL_H */
