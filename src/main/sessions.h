/* sessions.h - VPN sessions (successful logins whose tunnel was opened) and what they hold.
 * They outlive their connections: addresses stay until auth says that the ticket died.
 * Used by main. */
#ifndef MAIN_SESSIONS_H
#define MAIN_SESSIONS_H

#include "base/addr.h"
#include "base/log.h"
#include "main/ctx.h"
#include "main/index.h"
#include "main/lease.h"

enum {
	SESSION_SID = 28,
	SESSION_SHORT = 6,
	SESSION_APP_ID = 32,
	SESSION_KEY = 'S', /* first byte of its journal records */
};

struct open_request;
struct iroutes;
struct restrict_wait;
struct script_run;
struct tun;
struct worker;

enum session_state {
	SESSION_IDLE,	 /* no tunnel; addresses are kept for the client's return */
	SESSION_OPENING, /* the connect hook runs */
	SESSION_OPEN,	 /* the worker has its Tunnel */
	SESSION_ENDING,	 /* the worker is gone, the disconnect hook runs */
};

/* A tunnel request, while it waits for something. */
struct open_request {
	struct worker *w;
	const SessionOpen *msg; /* child of the request */
};

/* How a tunnel instance ended. */
struct tunnel_end {
	EndReason reason;
	uint64_t worker_id;
	Counters counters;
};

struct session {
	struct main_ctx *m;
	/* What auth vouches for; strings are children of the session, never NULL. */
	char sid[SESSION_SID + 1], sid_short[SESSION_SHORT + 1];
	const char *user, *group, *vhost;
	int64_t started;  /* UNIX time of the login */
	int64_t deadline; /* of session-timeout; 0: none */
	const char *user_agent, *hostname, *device_type, *device_platform;
	bool mobile;

	/* Kept as long as the session. */
	struct lease *v4, *v6;		/* NULL: none */
	struct lease_pool pool4, pool6; /* where they come from */
	bool host_update_done;		/* host-update-script runs once per session */

	/* The tunnel instance; valid in every state but SESSION_IDLE. */
	enum session_state state;
	struct worker *worker;	   /* NULL in SESSION_ENDING */
	struct session_conf *conf; /* settings this instance began with */
	const struct conf *began;  /* the configuration they come from, borrowed from them */
	struct tun *tun;    /* our own descriptor keeps the device alive; has its addresses */
	const char *device; /* its name, also when TUN is not known yet */
	uint32_t id;	    /* the worker's pid: ID in hooks and occtl */
	uint8_t app_id[SESSION_APP_ID];
	struct endpoint remote, local; /* of the TCP connection */
	struct addr peer;	       /* where its datagrams come from, as far as we know */
	int64_t connected_at;	       /* UNIX time of this instance */
	bool up;		       /* the client has its answer */
	bool in_utmp;		       /* a login record waits for its end */
	bool hook_ran;		       /* connect succeeded, so disconnect must run */
	bool keep;		       /* SESSION_ENDING: the ticket stays usable */
	bool closing;		       /* the ticket died while the tunnel was still there */
	bool accounting;	       /* SESSION_OPENING: auth is asked before there is a device */
	Counters counted;	       /* traffic through devices that are gone */
	Counters told;		       /* what ended workers said went through this one */
	struct tunnel_end end;
	uint64_t hello_ms, stray_ms; /* clock_ms of the last ClientHello or record handed on */
	struct endpoint hello_from;
	struct script_run *script;	     /* runs, and its end is awaited */
	struct restrict_wait *restrict_wait; /* its rules are about to be in force */
	bool has_rules;			     /* in the firewall, under its device */
	struct addressing *addressing;	     /* SESSION_OPENING: addresses are looked for */
	struct iroutes *iroutes;	     /* what iroute.c has added; NULL: nothing known */
	struct open_request *request;	     /* SESSION_OPENING: what the worker asked for */
	struct open_request *pending;	     /* a newer connection that waits for this one's end */

	struct log_ctx log;
	struct index_node by_sid, by_app_id, by_peer, by_user;
	struct session *next, **prev;
};

MUST_USE enum err sessions_new(struct main_ctx *m, struct sessions **out);

/* The session of INFO, made when it is new.  ERR_PROTO: no such session can exist. */
MUST_USE enum err session_get(struct main_ctx *m, const Session *info, struct session **out);

/* Takes over what auth says about the session and this connection of it. */
MUST_USE enum err session_update(struct session *s, const Session *info);

struct session *session_by_sid(const struct main_ctx *m, const char *sid);
struct session *session_by_app_id(const struct main_ctx *m, const uint8_t *id, size_t len);

/* The only session with datagrams from ADDR; NULL for none or several. */
struct session *session_by_peer(const struct main_ctx *m, const struct addr *addr);

/* Where the session's datagrams come from has changed (family 0: it has no tunnel). */
void session_set_peer(struct session *s, const struct addr *peer);
void session_set_app_id(struct session *s, const uint8_t *id); /* NULL: none */
void session_set_state(struct session *s, enum session_state state);

/* Live tunnels of USER over all hosts. */
size_t session_tunnels_of(const struct main_ctx *m, const char *user);

/* All sessions: for (s = sessions_first(m); s; s = s->next). */
struct session *sessions_first(const struct main_ctx *m);
size_t sessions_open_count(const struct main_ctx *m);

/* Writes the journal's record, so that a restarted main finds the session. */
void session_save(struct session *s);

/* The session's addresses as pairs `ipv4` and `ipv6` at KV; their number, 0 to 2. */
size_t session_addresses(const struct session *s, struct kv kv[2]);

/* Frees the session with all it holds. */
void session_forget(struct session *s);

/* Takes back a record of the journal, with its leases, and with its worker if that was adopted.
 * False: it is not one of ours. */
bool session_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		     size_t len);

/* S as a message that borrows its texts; REMOTE is the message's endpoint. */
void session_fill(const struct session *s, Session *out, Endpoint *remote);

#endif /* MAIN_SESSIONS_H */
