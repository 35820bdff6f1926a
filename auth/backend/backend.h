/* backend.h - the one interface of every way to check who somebody is: what a backend is asked,
 * what it answers, and what the auth process must know of it.  The work itself (backend/work.h) is
 * done in runners (auth/runner.h), so it may block; the login dialogue around it, its forms, tries,
 * groups and ban points, is auth/logins.c's and the same for all of them.
 *
 * A backend is asked step by step.  Each step has what the client just answered and the `state`
 * that the backend's last verdict left behind; the verdict says what to do next.  Steps of one
 * login may run in different processes: what must last goes into `state`, unless the backend
 * converses (below). */
#ifndef AUTH_BACKEND_BACKEND_H
#define AUTH_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"

struct backend_pair {
	const char *key, *value;
};

/* Sub-options of an auth line, or configuration rows that a backend grants a user. */
struct backend_pairs {
	struct backend_pair *item;
	size_t n;
};

enum {
	BACKEND_NAME_MAX = 127, /* bytes of a user name that may log in */
	BACKEND_GROUP_MAX = 63,
	BACKEND_GROUPS_MAX = 512,
	BACKEND_TEXT_MAX = 512, /* longer messages to the client are cut */
	BACKEND_STATE_MAX = 4096,
	BACKEND_KEEP_MAX = 65536,
	BACKEND_DELAY_MAX_MS = 10000,
};

enum verdict_kind {
	VERDICT_REJECT,	   /* wrong; zero, so that a verdict nobody filled in refuses */
	VERDICT_ACCEPT,	   /* `user`, if it changed; `groups`, `rows` */
	VERDICT_PROMPT,	   /* ask the client `text` and come again */
	VERDICT_CHALLENGE, /* the same; repeating the last text means the answer was wrong */
	VERDICT_HTTP,	   /* 401 with `text` in WWW-Authenticate */
	VERDICT_REDIRECT,  /* send the browser to the URL in `text` */
	VERDICT_ERROR,	   /* the backend itself has failed */
	VERDICT_KINDS
};

/* What a step came to.  Everything is a child of the context the step was given. */
struct verdict {
	enum verdict_kind kind;
	/* NULL: the dialogue's own words.  ACCEPT after FRONT_HTTP: WWW-Authenticate of the
	 * success. */
	const char *text;
	bool echo; /* PROMPT, CHALLENGE: the input may be seen while it is typed */
	const uint8_t *state;
	size_t state_len;
	const char *user;
	struct strv groups; /* the first is the default */
	struct backend_pairs rows;
	const char *reason; /* for the log of a failed login, "" or e.g. "code 3" */
	/* REJECT: hold it back so long, at most BACKEND_DELAY_MAX_MS; the runner is free meanwhile.
	 * ACCEPT: how long a refusal would have been held back (runner_call.even). */
	uint32_t delay_ms;
	/* What all later jobs of this auth line shall find in `kept`, whichever process does them:
	 * signing keys, which server is dead.  NULL: as it was. */
	const uint8_t *keep;
	size_t keep_len;	/* at most BACKEND_KEEP_MAX */
	const uint8_t *payload; /* WORK_RELAY: the answer */
	size_t payload_len;
};

/* What a step starts from.  Borrowed for the call. */
struct backend_input {
	const char *user;
	const char *answer;	   /* to the last question; NULL: none was given */
	const char *authorization; /* header of that name, or NULL */
	const uint8_t *state;
	size_t state_len;
	/* Another factor of the login has failed already: do the work as always, so that nobody
	 * notices, but use nothing up and accept nothing. */
	bool moot;
	const char *vhost, *sid, *user_agent;
	struct endpoint remote, local; /* of the client's connection */
	const uint8_t *kept;	       /* see verdict.keep; NULL: nothing yet */
	size_t kept_len;
	/* For backends that converse: shows QUESTION (PROMPT, CHALLENGE or HTTP) to the client and
	 * waits, as long as a human may take, for the next step, which it writes over *in (valid
	 * until the next call).  ERR_CLOSED: the client has gone, give up. */
	enum err (*ask)(void *arg, const struct verdict *question, struct backend_input *in);
	void *ask_arg;
};

/* What a runner can be asked to do. */
enum backend_work_kind {
	WORK_STEP,    /* one step of a login */
	WORK_GROUPS,  /* all groups anybody may have */
	WORK_RECHECK, /* may the user go on: ACCEPT or REJECT */
	WORK_ACCOUNT, /* one accounting record: ACCEPT (taken) or REJECT */
	WORK_RELAY,   /* forward `payload` and bring the answer */
	WORK_KINDS
};

/* How a backend gets its first input. */
enum backend_front {
	FRONT_NONE, /* no way to log in; it does other work */
	FRONT_FORM, /* the form for user name and password */
	FRONT_HTTP, /* an Authorization header of `scheme` */
};

struct auth_backend {
	const char *name; /* as in the auth line */
	enum backend_front front;
	const char *scheme;	   /* FRONT_HTTP: "Negotiate", "Bearer" */
	bool scheme_by_invitation; /* only for clients that announce HTTP authentication */
	bool knows_groups;	   /* those of the verdict count; else nobody is in a group */
	unsigned tries;		   /* wrong passwords that end a login */
	bool waits;		   /* for other machines or people, so that many may work at once */
	bool converses;		   /* steps of one login need the same process (input.ask) */
	bool rechecks;		   /* can do WORK_RECHECK */
	bool lists_groups;	   /* can do WORK_GROUPS */
	bool accounts;		   /* can do WORK_ACCOUNT */
	bool accounts_start_only;  /* wants no record but the Start */

	/* Checks OPTIONS and makes what the work is done with, a child of CTX.  Reads files at
	 * most, never waits; the auth process calls it at start and reload, a runner for each job.
	 * ERR_CONF: *WHY (child of CTX) says what is wrong and what would be right. */
	enum err (*open)(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			 const char **why);
	/* Is what open() made good for USE (WORK_STEP or WORK_ACCOUNT)?  At start and reload, not
	 * for every job; ERR_CONF as above.  NULL: always. */
	enum err (*check)(TALLOC_CTX *ctx, const void *conf, enum backend_work_kind use,
			  const char **why);
	/* Logs what the administrator should know of what open() made for logins; as seldom.
	 * NULL: nothing. */
	void (*remark)(const void *conf);
};

#define BACKEND(id) extern const struct auth_backend backend_##id;
#include "auth/backend/list.def"
#undef BACKEND

/* The backend called NAME, or NULL. */
const struct auth_backend *backend_find(const char *name);

/* Value of KEY, or NULL. */
const char *backend_pair_get(const struct backend_pairs *pairs, const char *key);

#endif /* AUTH_BACKEND_BACKEND_H */
