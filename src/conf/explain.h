/* explain.h - what a session of one user would get and why, without a login.  Reads the files of
 * the user and the group with the code that opens sessions.  Used by sallyportd --print-config and
 * by main for occtl. */
#ifndef CONF_EXPLAIN_H
#define CONF_EXPLAIN_H

#include <stdio.h>

#include "base/str.h"
#include "conf/conf.h"

struct conf_question {
	const char *user;
	const char *group; /* NULL: whichever the user would get, as far as that is known */
	const char *vhost; /* NULL or "default": the default host */
};

/* One value, or one element of a list. */
struct conf_setting {
	const char *option;
	const char *value;  /* as the file would say it; "" when unset; secrets are not shown */
	const char *rule;   /* what made it of the value at FILE and LINE, or ""; static */
	const char *origin; /* "user file", "default-group-config", "default", ... */
	const char *file;   /* "" for a default */
	unsigned line;
};

struct conf_explained {
	const char *user, *group, *vhost; /* GROUP is "" for none */
	bool refused;			  /* a login would get no tunnel; PROBLEM says why */
	struct strv note;		  /* which files count, and what is known only at a login */
	struct strv problem;		  /* what the login would write to the log, in its words */
	struct conf_setting *setting;	  /* none when refused */
	size_t n;
};

/* Answers Q from CONF.  *OUT is a child of CTX and borrows nothing.  ERR_NOT_FOUND: no such host.
 * Bounded: files of CONF_FILE_MAX bytes, and some thousand entries of their folders. */
MUST_USE enum err conf_explain(TALLOC_CTX *ctx, const struct conf *conf,
			       const struct conf_question *q, struct conf_explained **out);

/* In the syntax of --print-config. */
void conf_explain_print(const struct conf_explained *e, FILE *out);

#endif /* CONF_EXPLAIN_H */
