/* logins.h - the login dialogue: from the first request to a ticket (protocol.md 4, radius.md 11).
 *
 * A login is named by the `webvpncontext` cookie and belongs to the address that began it.  Its
 * states:
 *
 *	FRESH      nothing was asked yet
 *	ASK_USER   the form for user name (and password) was shown
 *	ASK_SECRET only a password or the answer to a challenge is awaited
 *	ASK_GROUP  everything is proved but the group is open
 *	ASK_CERT   a second certificate is awaited
 *	BUSY       a runner works on it
 *
 * It ends with a ticket, after too many wrong passwords, or when its time is up.  Everything
 *outside is reached through struct logins_ops.  Used by auth. */
#ifndef AUTH_LOGINS_H
#define AUTH_LOGINS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/groups.h"
#include "auth/runner.h"
#include "auth/store/store.h"
#include "base/addr.h"
#include "ipc/auth.pb-c.h"
#include "ipc/worker.pb-c.h"

enum { LOGIN_CONTEXT = 32, LOGIN_TRIES = 3, LOGIN_CHALLENGES = 16, LOGIN_FACTORS = 2 };

/* Something to prove: a line of a backend. */
struct login_factor {
	const struct auth_backend *backend; /* NULL: none */
	struct backend_pairs options;
};

/* One complete way to log in; several are alternatives. */
struct login_method {
	bool certificate; /* the client must show one */
	/* Must accept, too, asked one after the other; without any the certificate is enough.  The
	 * first says who the user is and what he is granted.  The others are first asked without an
	 * answer, and say what they want. */
	struct login_factor factor[LOGIN_FACTORS];
	bool missing; /* this version has no such backend: nobody gets in this way */
};

/* What one host wants; the host's first method is its primary. */
struct login_policy {
	const char *vhost;
	const struct login_method *method;
	size_t n_methods;
	struct group_list groups;
	bool auto_groups;  /* ask the backend for the list instead */
	bool second_cert;  /* with a certificate a second one is needed (multiple-cert-auth) */
	bool group_by_url; /* the path of the first request may force a group */
	uint32_t lifetime; /* seconds a login may take */
	uint32_t points;   /* ban points of a wrong password */
};

/* Who a step comes from. */
struct login_peer {
	uint64_t worker;
	struct endpoint remote, local;
};

/* A login that succeeded. */
struct login_grant {
	const struct login_policy *policy;
	uint64_t worker;
	const uint8_t *cookie;	/* TICKET_COOKIE bytes */
	struct session session; /* as store_add wants it, except for times */
};

struct logins_ops {
	/* The policy of the host VHOST, borrowed until the caller returns; NULL: no such host. */
	const struct login_policy *(*policy)(void *arg, const char *vhost);
	int64_t (*now)(void *arg); /* UNIX time */
	/* As runner_submit. */
	enum err (*run)(void *arg, TALLOC_CTX *owner, const struct runner_call *call,
			runner_done_fn *done, void *done_arg, struct runner_job **job);
	/* As runner_abandon. */
	bool (*abandon)(void *arg, struct runner_job *job, TALLOC_CTX *owner, runner_done_fn *done,
			void *done_arg);
	/* Answers the step that WORKER waits for. */
	void (*answer)(void *arg, uint64_t worker, const StepResult *result);
	/* A wrong password of the client REMOTE (POINTS ban points), or a login that ended without
	 * success.  WORKER may be gone. */
	void (*failed)(void *arg, uint64_t worker, const struct endpoint *remote, const char *user,
		       uint32_t points, bool final);
	/* Makes the session; an error refuses the login. */
	enum err (*grant)(void *arg, const struct login_grant *grant);
};

struct logins;

/* *OUT is a child of CTX; OPS is borrowed, ARG is handed to it. */
MUST_USE enum err logins_new(TALLOC_CTX *ctx, const struct logins_ops *ops, void *arg,
			     struct logins **out);

/* One step of a dialogue.  Exactly one answer follows, now or later, unless PEER's worker goes away
 * or sends another step before. */
void logins_step(struct logins *l, const struct login_peer *peer, const Step *msg);

/* Whether CONTEXT names a login that PEER may go on with at the host VHOST. */
bool logins_know(const struct logins *l, const struct login_peer *peer, const char *vhost,
		 const ProtobufCBinaryData *context);

/* The worker ended: nobody waits for an answer any more.  The login may go on elsewhere. */
void logins_worker_gone(struct logins *l, uint64_t worker);

/* Ends logins whose time is up. */
void logins_expire(struct logins *l);

/* What occtl shows of a login in progress; members are borrowed for the call. */
struct login_info {
	const char *sid, *user, *vhost, *user_agent, *state;
	const struct addr *remote;
	int64_t created, expires;
	bool tls_auth_ok;
};
void logins_each(const struct logins *l, void (*fn)(void *arg, const struct login_info *info),
		 void *arg);

#endif /* AUTH_LOGINS_H */
