/* login.h - one login in progress, as the files of the login dialogue see it:
 *
 *	logins.c	 finds logins and ends them when their time is up
 *	dialogue.c	 takes the client's steps
 *	login_choice.c	 picks the method
 *	login_factors.c	 asks the backend
 *	login_outcome.c	 grants and refuses
 *	login_forms.c	 writes to the client
 *
 * Used by those and second_cert.c only. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "auth/logins.h"
#include "base/log.h"

enum login_state {
	LOGIN_FRESH,
	LOGIN_ASK_USER,
	LOGIN_ASK_SECRET,
	LOGIN_ASK_GROUP,
	LOGIN_ASK_CERT,
};

enum { LOGIN_NONCE = 32 };

/* The second certificate (second_cert.h). */
struct login_second_cert {
	uint8_t nonce[LOGIN_NONCE]; /* what it must sign */
	char *machine;		    /* name in the first one when it was shown */
	char *user;		    /* NULL: none was shown yet */
	struct strv groups;
};

struct login {
	struct logins *all;
	uint8_t context[LOGIN_CONTEXT];
	uint8_t cookie[TICKET_COOKIE]; /* of the session it may become */
	char sid[TICKET_SID + 1], sid_short[TICKET_SHORT + 1];
	struct addr owner; /* the address that began it */
	int64_t created, expires;

	/* From the newest step.  Strings are children of the login. */
	uint64_t worker; /* 0: none */
	bool waiting;	 /* the worker has no answer yet */
	struct endpoint remote, local;
	const char *vhost, *user_agent;
	const char *selected; /* what was sent as group; "" nothing yet */
	const char *url;      /* path of an init's URL; "" none */
	bool cert_ok, http_auth;
	bool cert_bad;	       /* it showed one that did not verify */
	const char *machine;   /* the user that the certificate of the TLS connection names */
	const char *cert_user; /* the same, or that of the second certificate */
	struct strv cert_groups;
	const char *authorization; /* NULL: the step that brought it is answered */

	struct login_second_cert second;

	/* Where the dialogue stands. */
	enum login_state state;
	size_t method; /* index into the policy's */
	size_t factor; /* index into the method's: who is asked now */
	/* Of the first factor that failed; NULL: none did.  The others are asked all the same, so
	 * that the client cannot tell which it was. */
	const char *failed_at, *failed_why;
	struct verdict *granted; /* what the first factor said, while others are asked */
	const char *user;
	const char *prompt;	/* text of the last challenge; NULL: none yet */
	uint8_t *backend_state; /* what the backend left for its next step */
	size_t backend_state_len;
	unsigned tries; /* wrong answers; survives a new init */
	unsigned challenges, counter, steps;
	bool groups_known;
	struct strv auto_groups;  /* auto-select-group */
	struct runner_talk *talk; /* NULL: the backend holds no conversation */
	bool talking;		  /* what it asked last was part of one */
	struct runner_job *job;	  /* not NULL: a runner works on it */

	struct login *by_context, *by_worker, *next, **prev;
	struct log_ctx log;
};

struct logins {
	const struct logins_ops *ops;
	void *arg;
	struct login **by_context, **by_worker; /* chains */
	struct login *first, **tail;		/* in the order they began */
	size_t count;
};

/* ---- logins.c ---- */

/* Ends G and frees it; a worker that waits has had its answer. */
void login_end(struct login *g);

/* Tells main of a wrong answer, or of the login's end without success. */
void login_failed(const struct login *g, uint32_t points, bool final);

/* The host's policy, or NULL when the host is gone. */
const struct login_policy *login_policy(const struct login *g);

/* ---- dialogue.c ---- */

/* Acts on MSG, which was taken over into G.  G may be freed. */
void login_advance(struct login *g, const struct login_policy *policy, const Step *msg);

void login_set_user(struct login *g, const char *user);

/* ---- login_choice.c ---- */

/* Whether the client has sent an Authorization header of SCHEME. */
bool login_has_scheme(const struct login *g, const char *scheme);

/* How well M suits what the client can do (config.md 6.1); 0: not at all. */
unsigned login_suits(const struct login *g, const struct login_method *m);

/* The most convenient of the methods that the client can use, the primary first among equals.
 * False: none. */
bool login_choose(struct login *g, const struct login_policy *policy);

/* Whether a client that cannot negotiate should try again without (protocol.md 4.17): something
 * else is left that does not need an invitation. */
bool login_has_fallback(const struct login *g, const struct login_policy *policy);

/* Whoever G's next answer is for; NULL: nobody, since the certificate alone is enough, or a reload
 * has taken the method away. */
const struct auth_backend *login_backend(const struct login *g, const struct login_policy *policy);

/* ---- login_factors.c ---- */

/* Hands ANSWER (NULL: none was given) to the backend and acts on its verdict, later or at once.
 * G may be freed. */
void login_submit(struct login *g, const struct login_policy *policy, const char *answer);

/* Whether no other factor comes after the one G is at. */
bool login_at_last_factor(const struct login *g, const struct login_policy *policy);

/* The client has gone, or begun anew, after a factor and before the last one.  That costs what a
 * wrong answer costs, whether it was one or not: else the points would tell. */
void login_left(struct login *g, bool final);

/* Back to the first factor, with nothing known of any. */
void login_forget_factors(struct login *g);

/* ---- login_outcome.c: what is void may free G, but login_say ---- */

/* Logs one of the texts that log watchers match (admin.md 4.3). */
void login_say(const struct login *g, enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A wrong answer: another try, or the end.  TEXT is what the client is told, NULL for our words;
 * REASON is for the log. */
void login_wrong(struct login *g, const struct login_policy *policy, const char *text,
		 const char *reason);

/* The login cannot go on, for a reason that is no wrong password. */
void login_give_up(struct login *g, const char *reason);

/* Only a certificate: nothing is asked unless the group is open (checklist 74 to 77). */
void login_finish_certificate(struct login *g, const struct login_policy *policy);

/* What may still stand against the login though the first factor said V: name, group, certificate.
 * It looks to the client like a wrong password, so that it cannot find out groups or other people's
 * passwords one by one.  *GROUP is borrowed from CTX, G, POLICY and V. */
bool login_agrees(TALLOC_CTX *ctx, const struct login *g, const struct login_policy *policy,
		  const struct verdict *v, const char **group);

/* Makes the session.  V is the first factor's verdict, NULL without any. */
void login_grant(struct login *g, const struct login_policy *policy, const char *group,
		 const struct verdict *v);

/* ---- login_forms.c ---- */

/* The group list that applies to G, a child of CTX or borrowed from POLICY, and what the client
 * selected in it.  *NAME as in group_select.  True: the URL forces the group. */
bool login_groups(TALLOC_CTX *ctx, const struct login *g, const struct login_policy *policy,
		  struct group_list *list, enum group_choice *choice, const char **name);

/* The first form, or the next one for the user name. */
void login_ask_user(struct login *g, const struct login_policy *policy);

/* Only a password: REASON is NULL, or why it is asked again. */
void login_ask_password(struct login *g, const struct login_policy *policy, const char *reason);

/* The question of a backend: V's text with an input that is named after G->counter. */
void login_ask_challenge(struct login *g, const struct verdict *v);

/* Only the group. */
void login_ask_group(struct login *g, const struct login_policy *policy);

/* The document that a second certificate shall sign, with the number in G->second. */
void login_ask_second_cert(struct login *g);

/* 401 with REASON; the login is over and freed.  DETAIL is what the backend has to say to the user
 * about it, or NULL. */
void login_deny(struct login *g, const char *reason, const char *detail);

/* 401 with a challenge header; the login goes on.  FALLBACK: another method exists. */
void login_invite(struct login *g, const char *www_authenticate, bool fallback);

void login_redirect(struct login *g, const char *url);

/* The success.  WWW_AUTHENTICATE: the last word of a negotiation, NULL for none. */
void login_send_ticket(struct login *g, const char *group, const char *www_authenticate);

#endif /* AUTH_LOGIN_H */
