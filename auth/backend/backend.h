/* backend.h - the one interface of every way to check who somebody is.
 * Backends run in runners (auth/runner.h), so they may block; the login dialogue around them, its
 * forms, tries, groups and ban points, is auth/logins.c's and the same for all of them.
 *
 * A backend is asked step by step.  Each step has what the client just answered and the `state`
 * that the backend's last verdict left behind; the verdict says what to do next.  Steps of one
 * login may run in different processes: what must last goes into `state`. */
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
	const char *text; /* NULL: the dialogue's own words */
	bool echo;	  /* PROMPT, CHALLENGE: the input may be seen while it is typed */
	const uint8_t *state;
	size_t state_len;
	const char *user;
	struct strv groups; /* the first is the default */
	struct backend_pairs rows;
	const char *reason; /* for the log of a failed login, "" or e.g. "code 3" */
};

/* What a step starts from.  Borrowed for the call. */
struct backend_input {
	const char *user;
	const char *answer;	   /* to the last question; NULL: none was given */
	const char *authorization; /* header of that name, or NULL */
	const uint8_t *state;
	size_t state_len;
	const char *vhost, *sid, *user_agent;
	struct endpoint remote, local; /* of the client's connection */
};

/* How a backend gets its first input. */
enum backend_front {
	FRONT_FORM, /* the form for user name and password */
	FRONT_HTTP, /* an Authorization header of `scheme` */
};

struct auth_backend {
	const char *name; /* as in the auth line */
	enum backend_front front;
	const char *scheme;	   /* FRONT_HTTP: "Negotiate", "Bearer" */
	bool scheme_by_invitation; /* only for clients that announce HTTP authentication */
	bool knows_groups;	   /* a group must be among those of the verdict */
	unsigned tries;		   /* wrong passwords that end a login */

	/* Checks OPTIONS and makes what the other two functions work with, a child of CTX.
	 * ERR_CONF: *WHY (child of CTX) says what is wrong.  ERR_UNSUPPORTED: nothing is wrong,
	 * but this build cannot do it (*WHY again). */
	enum err (*open)(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			 const char **why);
	/* One step; an error is like VERDICT_ERROR. */
	enum err (*step)(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			 struct verdict *out);
	/* Whether USER may open further tunnels with the session of an earlier login; NULL: always.
	 */
	enum err (*allows)(TALLOC_CTX *ctx, const void *conf, const char *user, bool *out);
	/* All groups anybody may have, for auto-select-group; NULL: not known. */
	enum err (*groups)(TALLOC_CTX *ctx, const void *conf, struct strv *out);
};

#define BACKEND(id) extern const struct auth_backend backend_##id;
#include "auth/backend/list.def"
#undef BACKEND

/* The backend called NAME, or NULL. */
const struct auth_backend *backend_find(const char *name);

/* Value of KEY, or NULL. */
const char *backend_pair_get(const struct backend_pairs *pairs, const char *key);

#endif /* AUTH_BACKEND_BACKEND_H */
