/* option.h - the option table and what its columns mean.  Used inside src/conf, and by whoever
 * names receivers of rows. */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

enum conf_scope {
	CONF_SCOPE_GLOBAL,
	CONF_SCOPE_GLOBAL_LOOSE,
	CONF_SCOPE_VHOST,
	CONF_SCOPE_USER,
	CONF_SCOPE_PERUSER,
};

/* Receivers of rows. */
enum { CONF_TO_SUPER = 1, CONF_TO_MAIN = 2, CONF_TO_AUTH = 4, CONF_TO_WORKER = 8 };

enum { CONF_START = 0, CONF_RELOAD = 1, CONF_NOW = 0, CONF_NOOP = 2 };

/* A value on its way into a field. */
struct conf_set {
	TALLOC_CTX *ctx; /* owner of what the value needs */
	struct conf_report *report;
	const struct conf_option *opt;
	struct conf_where where;
};

struct conf_limits {
	uint64_t min, max;
	enum { CONF_LIMIT_NONE, CONF_LIMIT_RANGE, CONF_LIMIT_SOFT } kind;
	bool (*check)(struct conf_set *s, const char *text); /* reports and returns false */
};

/* How a type reads and prints its values; see types.c. */
struct conf_type {
	const char *name; /* for the manual */
	size_t size;	  /* of the field */
	size_t item;	  /* of one element; 0 for a scalar */
	/* Parses TEXT into OUT, the field or one element; reports and returns false when TEXT is
	 * fatal, then OUT is untouched. */
	bool (*parse)(struct conf_set *s, const char *text, void *out);
	/* Writes what the file would say; nothing at all for an unset value. */
	void (*print)(const void *value, struct buf *out);
};

struct conf_option {
	enum conf_opt id;
	const char *name, *def, *doc;
	const struct conf_type *type;
	enum conf_scope scope;
	unsigned to, flags;
	size_t offset;	       /* in struct conf, host_conf, or session_conf (PERUSER) */
	size_t session_offset; /* USER, PERUSER: in struct session_conf */
	struct conf_limits limits;
};

/* What stands for an old name. */
enum conf_alias_kind {
	CONF_ALIAS_SAME,     /* another spelling */
	CONF_ALIAS_RENAMED,  /* with a note */
	CONF_ALIAS_IF_TRUE,  /* true sets the new option to true, with a note; false does nothing */
	CONF_ALIAS_IF_FALSE, /* false sets the new option to true, with a note; true does nothing */
	CONF_ALIAS_DEPRECATED, /* ignored with a warning */
	CONF_ALIAS_REMOVED,    /* refused */
};

struct conf_alias {
	const char *name;
	enum conf_alias_kind kind;
	enum conf_opt to; /* not for the last two kinds */
	const char *doc;
};

/* A heading of the manual and the sample, before the option FIRST. */
struct conf_section {
	enum conf_opt first;
	const char *title;
	const char *intro; /* plain sentences, or "" */
};

extern const struct conf_option conf_options[CONF_OPT_COUNT];
extern const struct conf_alias conf_aliases[];
extern const size_t conf_n_aliases;
extern const struct conf_section conf_sections[];
extern const size_t conf_n_sections;

/* By exact name; NULL when there is none. */
const struct conf_option *conf_option_find(const char *name);
const struct conf_alias *conf_alias_find(const char *name);

/* The option whose name NAME, which is none, may be a misspelling of; or NULL. */
const struct conf_option *conf_option_like(const char *name);

/* Adds that ROW is skipped because its option is not known, or not IN_USER_FILE, in the words of
 * config.md 2.2 and 10.1, and what may have been meant. */
void conf_report_unknown(struct conf_report *report, const struct conf_row *row, bool in_user_file);

/* The option that rows named NAME are about, old names included; NULL for unknown and for names
 * that set nothing any more. */
const struct conf_option *conf_option_of(const char *name);

/* What ROW sets that option to: its value, or what an old name's value stands for; NULL when it
 * leaves the option alone.  Borrowed from ROW or static. */
const char *conf_value_of(const struct conf_row *row);

/* The section that begins with OPT, or NULL. */
const struct conf_section *conf_section_at(enum conf_opt opt);

/* "global", "virtual host", ... for the manual. */
const char *conf_scope_name(enum conf_scope scope);

#endif /* CONF_OPTION_H */
