/* origin.h - why a value is what it is: the line that says so, the rule that made it, or both.
 * Used by --print-config and by the explanation of one user's settings (explain.h). */
#ifndef CONF_ORIGIN_H
#define CONF_ORIGIN_H

#include "conf/option.h"

struct conf_origin {
	const struct conf_row *row; /* NULL: no line says so, it is the default */
	const char *rule;	    /* what made the value of ROW's, static; NULL: nothing */
};

/* Of HOST's value of OPT: of the first N elements of a list, of which it has as many, or, N being
 * 1, of a scalar. */
void conf_origins_of(const struct conf *conf, const struct host_conf *host,
		     const struct conf_option *opt, struct conf_origin *out, size_t n);

/* Of a session's value; S was made of rows of files, not of what a back end granted. */
void conf_session_origins(const struct conf *conf, const struct session_conf *s,
			  const struct conf_option *opt, struct conf_origin *out, size_t n);

/* Why everything of S goes through the tunnel (S->default_route). */
struct conf_origin conf_default_route_origin(const struct conf *conf, const struct session_conf *s);

#endif /* CONF_ORIGIN_H */
