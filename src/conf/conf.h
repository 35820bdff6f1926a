/* conf.h - the configuration as structs: read, never changed.  Used by main, auth and workers.
 *
 * A file becomes rows (row.h), rows become a struct conf: one set of global values and an array of
 * hosts.  A process that was sent only its rows runs the same code over them and gets the same
 * structs, with defaults in the fields it was not sent. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "conf/report.h"
#include "conf/row.h"
#include "conf/values.h"

/* The C type of each option type. */
/* "flag", because "bool" is a macro and would be expanded first. */
#define CONF_C_flag	bool
#define CONF_C_u32	uint32_t
#define CONF_C_secs	uint32_t
#define CONF_C_ms	uint32_t
#define CONF_C_prefix	uint32_t /* 0: unset */
#define CONF_C_bytes	uint64_t
#define CONF_C_rate	uint64_t /* bytes per second, a multiple of 1000; 0: no limit */
#define CONF_C_str	const char *
#define CONF_C_path	const char *
#define CONF_C_secret	struct secret *
#define CONF_C_list	struct strv
#define CONF_C_facility int /* LOG_DAEMON, ... of <syslog.h> */
#define CONF_C_format	enum conf_log_format
#define CONF_C_rekey	enum conf_rekey
#define CONF_C_prio	struct conf_prio
#define CONF_C_net4	struct addr_net /* family 0: unset */
#define CONF_C_mask4	uint8_t		/* prefix length, 0: unset */
#define CONF_C_net6	struct addr_net
#define CONF_C_addr4	struct addr
#define CONF_C_addr6	struct addr
#define CONF_C_nets	struct conf_nets
#define CONF_C_routes	struct conf_routes
#define CONF_C_ports	struct conf_ports
#define CONF_C_groups	struct conf_groups
#define CONF_C_auth	struct conf_auths
#define CONF_C_acct	struct conf_auth /* name NULL: unset */
#define CONF_C_kkdcp	struct conf_kkdcps
#define CONF_C_algos	struct conf_algos
#define CONF_C_datapath uint32_t /* enum conf_datapath */

/* Which struct a scope's options live in. */
#define CONF_SERVER_GLOBAL(type, field)	      CONF_C_##type field;
#define CONF_SERVER_GLOBAL_LOOSE(type, field) CONF_C_##type field;
#define CONF_SERVER_VHOST(type, field)
#define CONF_SERVER_USER(type, field)
#define CONF_SERVER_PERUSER(type, field)
#define CONF_HOST_GLOBAL(type, field)
#define CONF_HOST_GLOBAL_LOOSE(type, field)
#define CONF_HOST_VHOST(type, field) CONF_C_##type field;
#define CONF_HOST_USER(type, field)  CONF_C_##type field;
#define CONF_HOST_PERUSER(type, field)
#define CONF_SESSION_GLOBAL(type, field)
#define CONF_SESSION_GLOBAL_LOOSE(type, field)
#define CONF_SESSION_VHOST(type, field)
#define CONF_SESSION_USER(type, field)	  CONF_C_##type field;
#define CONF_SESSION_PERUSER(type, field) CONF_C_##type field;

/* CONF_OPT_tcp_port, ...: index of an option in the table and in `origin`. */
enum conf_opt {
#define OPT(type, field, name, scope, to, flags, def, limits, doc) CONF_OPT_##field,
#include "conf/options.def"
	CONF_OPT_COUNT
};

/* A host: host->banner, host->mtu, ... */
struct host_conf {
	const char *name; /* "default", or as written after [vhost: */
	bool is_default;
	const struct conf_row **origin; /* per option the row that set it; NULL: default */
	bool mobile_dpd_follows, mobile_idle_follows; /* they were derived from dpd, idle-timeout */
	bool radius_groupconfig; /* supplemental settings come from RADIUS, not from files */
#define OPT(type, field, name, scope, to, flags, def, limits, doc) CONF_HOST_##scope(type, field)
#include "conf/options.def"
};

/* The whole configuration: conf->tcp_port, conf->host[0]->banner, ... */
struct conf {
	struct host_conf **host; /* [0] is the default host */
	size_t n_hosts;
	struct conf_rows rows; /* what it was made of */
#define OPT(type, field, name, scope, to, flags, def, limits, doc) CONF_SERVER_##scope(type, field)
#include "conf/options.def"
};

/* One session's settings, host < group file < user file already merged: s->mtu, s->route, ... */
struct session_conf {
	const struct host_conf *host;	/* for what only hosts have; borrowed */
	const struct conf_row **origin; /* NULL: the host's value */
	struct conf_rows rows;		/* those of the files, in the order they count */
	bool default_route; /* everything goes through the tunnel; then `route` is empty */
#define OPT(type, field, name, scope, to, flags, def, limits, doc) CONF_SESSION_##scope(type, field)
#include "conf/options.def"
};

/* Whether rows are a whole file, or one process's share of rows that were checked before: then
 * nothing is mandatory, nothing is checked across options and no notes are made. */
enum conf_mode { CONF_WHOLE, CONF_SHARE };

/* Reads and checks the file PATH.  Findings go to REPORT.  *OUT is a child of CTX and set only when
 * there is no error.  ERR_NOT_FOUND or ERR_SYS (errno set): PATH cannot be read, nothing is
 * reported; ERR_CONF: REPORT has errors. */
MUST_USE enum err conf_load_file(TALLOC_CTX *ctx, const char *path, struct conf_report *report,
				 struct conf **out);

/* The same for LEN bytes of TEXT that are called NAME in messages. */
MUST_USE enum err conf_load_text(TALLOC_CTX *ctx, const char *name, const char *text, size_t len,
				 struct conf_report *report, struct conf **out);

/* As conf_load_file for SIGHUP: start-only options keep the values that OLD has. */
MUST_USE enum err conf_reload_file(TALLOC_CTX *ctx, const char *path, const struct conf *old,
				   struct conf_report *report, struct conf **out);

/* Makes the structs of ROWS (copied).  REPORT may be NULL with CONF_SHARE.  ERR_CONF as above. */
MUST_USE enum err conf_from_rows(TALLOC_CTX *ctx, const struct conf_rows *rows, enum conf_mode mode,
				 struct conf_report *report, struct conf **out);

/* The host whose name equals the SNI name, ignoring case; the default host for NULL or no match. */
const struct host_conf *conf_host(const struct conf *conf, const char *name);

/* What became of the search for one of the files of config.md 10.2. */
struct conf_looked {
	enum {
		CONF_LOOKED_NOT,     /* no folder is configured, or the session has no group */
		CONF_LOOKED_NONE,    /* there is neither the file nor a default for it */
		CONF_LOOKED_FILE,    /* the file counts */
		CONF_LOOKED_DEFAULT, /* default-user-config or default-group-config counts */
	} result;
	const char *path;     /* DIR/NAME; NULL for CONF_LOOKED_NOT */
	const char *fallback; /* the default file; NULL: not configured.  Borrowed from the host */
};

struct conf_looked_both {
	struct conf_looked group, user;
};

/* Reads the files of USER in GROUP (NULL or "": none) as config.md 10.2 says and gives their rows,
 * group first; no rows when no file applies.  OUT's rows are children of CTX.
 * ERR_CONF: the session must be refused, REPORT says why with file and line.
 * The values were tried with conf_session_new, too.  LOOKED (may be NULL) is set in any case; its
 * paths are children of CTX. */
MUST_USE enum err conf_user_rows(TALLOC_CTX *ctx, const struct host_conf *host, const char *user,
				 const char *group, struct conf_report *report,
				 struct conf_looked_both *looked, struct conf_rows *out);

/* Parses the text of one per-user or per-group file and appends to ROWS (children of CTX).
 * Keys that do not belong there are reported as CONF_INFO and left out.  ERR_CONF as above. */
MUST_USE enum err conf_user_parse(TALLOC_CTX *ctx, const char *name, const char *text, size_t len,
				  struct conf_report *report, struct conf_rows *rows);

/* Merges HOST and ROWS (config.md 10.1, 10.3, 13.2).  *OUT is a child of CTX and borrows from HOST.
 * ERR_CONF: a value is bad, the session must be refused. */
MUST_USE enum err conf_session_new(TALLOC_CTX *ctx, const struct host_conf *host,
				   const struct conf_rows *rows, struct conf_report *report,
				   struct session_conf **out);

/* --print-config: the effective value of every option of every host, in the file's own syntax, with
 * a comment saying where it came from.  Secrets are not shown. */
void conf_show(const struct conf *conf, FILE *out);

/* The manual page sallyport.conf(5) in mdoc, and the commented sample file, both made from the
 * table. */
void conf_man(FILE *out);
void conf_sample(FILE *out);

#endif /* CONF_CONF_H */
