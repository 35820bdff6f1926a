/* build.h - the steps from rows to a finished struct conf.  Used inside src/conf. */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf/option.h"

enum {
	CONF_HOSTS_MAX = 1024,
	CONF_COMPRESS_FLOOR = 64,	 /* bytes; least no-compress-limit, config.md 8.3 */
	CONF_FILE_MAX = 4 * 1024 * 1024, /* bytes of a file; longer ones are refused */
};

/* Where OPT of HOST was set, for a message: without file and line when it was not, without the host
 * for the default host. */
struct conf_where conf_where_of(const struct host_conf *host, enum conf_opt opt);

/* The field of OPT: in CONF or in HOST, whichever its scope says. */
void *conf_field(struct conf *conf, struct host_conf *host, const struct conf_option *opt);
const void *conf_field_ro(const struct conf *conf, const struct host_conf *host,
			  const struct conf_option *opt);

/* Fills in what follows from other options (config.md 9: 10, 11, 14, 15, 17).  REPORT gets the
 * notes; NULL makes none.  ERR_NOMEM. */
MUST_USE enum err conf_derive(struct conf *conf, struct conf_report *report);

/* The pool that a network line and a mask line make together: the later of two prefixes counts. */
void conf_join_pool(struct addr_net *net, unsigned mask, const struct conf_row *net_row,
		    const struct conf_row *mask_row);

/* Everything of config.md 9 that is not about one value alone, and what else a human should know.
 */
void conf_check(const struct conf *conf, struct conf_report *report);

/* Warns of what is accepted but will hardly do what its author means. */
void conf_advise(const struct conf *conf, struct conf_report *report);

/* Warns of each start-only option whose value in FRESH, the file as it would be at a start, is not
 * that of OLD, the configuration in force. */
void conf_check_restart(const struct conf *old, const struct conf *fresh,
			struct conf_report *report);

/* Reads a regular file of at most CONF_FILE_MAX bytes, FD being open; closes FD.  *TEXT is a child
 * of CTX and wiped when freed.  ERR_SYS (errno), ERR_TOO_LONG, ERR_UNSUPPORTED: not a regular file.
 */
MUST_USE enum err conf_read_fd(TALLOC_CTX *ctx, int fd, char **text, size_t *len);

#endif /* CONF_BUILD_H */
