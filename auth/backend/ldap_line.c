/* ldap_line.c - the auth line of the backend `ldap`, and the file it may name.  Everything that can
 * be found wrong without asking a server is found here, at start. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/backend/ldap.h"
#include "auth/backend/ldap_file.h"
#include "auth/backend/ldap_keep.h"
#include "auth/backend/ldap_text.h"
#include "base/file.h"
#include "base/log.h"

enum { TRIES = 3, TIMEOUT = 5, TIMEOUT_MAX = 10 };

/* What open() works on. */
struct reader {
	struct ldap_line *line;
	struct backend_pairs pairs; /* the file's, then the line's, which therefore win */
	TALLOC_CTX *ctx;
	const char **why;
};

static enum err fault(const struct reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum err fault(const struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*r->why = talloc_vasprintf(r->ctx, fmt, ap);
	va_end(ap);
	return ERR_CONF;
}

/* ---- kinds of values ------------------------------------------------------ */

static enum err set_text(const struct reader *r, const char *key, const char *value, void *out)
{
	if (!*value)
		return fault(r, "ldap: the value of '%s' is empty", key);
	*(const char **)out = value;
	return ERR_OK;
}

static enum err set_flag(const struct reader *r, const char *key, const char *value, void *out)
{
	bool yes = !strcasecmp(value, "true") || !strcasecmp(value, "yes");

	if (!yes && strcasecmp(value, "false") != 0 && strcasecmp(value, "no") != 0)
		return fault(r, "ldap: '%s' is '%s'; write true or false", key, value);
	*(bool *)out = yes;
	return ERR_OK;
}

static enum err set_seconds(const struct reader *r, const char *key, const char *value, void *out)
{
	uint64_t seconds;

	if (str_to_u64(value, TIMEOUT_MAX, &seconds) || !seconds)
		return fault(r, "ldap: '%s' is '%s'; write seconds from 1 to %d", key, value,
			     TIMEOUT_MAX);
	*(unsigned *)out = (unsigned)seconds;
	return ERR_OK;
}

/* The place of VALUE among NAMES; -1: none of them. */
static int index_of(const char *value, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (strcasecmp(value, names[i]) == 0)
			return i;
	return -1;
}

static enum err set_scope(const struct reader *r, const char *key, const char *value, void *out)
{
	static const char *const names[] = { [LDAP_SCOPE_TREE] = "sub",
					     [LDAP_SCOPE_LEVEL] = "one",
					     [LDAP_SCOPE_ENTRY] = "base",
					     NULL };
	int i = index_of(value, names);

	if (i < 0)
		return fault(r, "ldap: '%s' is '%s'; write sub, one or base", key, value);
	*(enum ldap_scope *)out = (enum ldap_scope)i;
	return ERR_OK;
}

static enum err set_nested(const struct reader *r, const char *key, const char *value, void *out)
{
	static const char *const names[] = { [LDAP_NESTED_NO] = "false",
					     [LDAP_NESTED_YES] = "true",
					     [LDAP_NESTED_CHAIN] = "chain",
					     NULL };
	int i = index_of(value, names);

	if (i < 0)
		return fault(r, "ldap: '%s' is '%s'; write true, false or chain", key, value);
	*(enum ldap_nested *)out = (enum ldap_nested)i;
	return ERR_OK;
}

static bool is_scheme(const char *uri, const char *scheme)
{
	return str_starts_nocase(uri, scheme) && uri[strlen(scheme)];
}

/* Several, with blanks between. */
static enum err set_uris(const struct reader *r, const char *key, const char *value, void *out)
{
	struct strv *uris = out;
	char *copy = talloc_strdup(r->line, value), *uri;

	if (!copy)
		return ERR_NOMEM;
	*uris = (struct strv){ .n = 0 };
	while ((uri = strsep(&copy, " \t")) != NULL) {
		if (!*uri)
			continue;
		if (!is_scheme(uri, "ldaps://") && !is_scheme(uri, "ldap://") &&
		    !is_scheme(uri, "ldapi://"))
			return fault(r, "ldap: '%s' is no server; write ldaps://HOST[:PORT]", uri);
		if (uris->n == LDAP_SERVERS_MAX)
			return fault(r, "ldap: '%s' has more than %d servers", key,
				     LDAP_SERVERS_MAX);
		if (strv_add(r->line, uris, uri))
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* ---- keys ----------------------------------------------------------------- */

typedef enum err set_fn(const struct reader *r, const char *key, const char *value, void *out);

static const struct {
	const char *key;
	set_fn *set; /* NULL: for the reader itself */
	size_t offset;
} keys[] = {
	{ "config", NULL, 0 },
	{ "uri", set_uris, offsetof(struct ldap_line, uri) },
	{ "starttls", set_flag, offsetof(struct ldap_line, starttls) },
	{ "insecure", set_flag, offsetof(struct ldap_line, insecure) },
	{ "ca", set_text, offsetof(struct ldap_line, ca) },
	{ "timeout", set_seconds, offsetof(struct ldap_line, timeout) },
	{ "base", set_text, offsetof(struct ldap_line, base) },
	{ "scope", set_scope, offsetof(struct ldap_line, scope) },
	{ "filter", set_text, offsetof(struct ldap_line, filter) },
	{ "binddn", set_text, offsetof(struct ldap_line, binddn) },
	{ "bindpw-file", set_text, offsetof(struct ldap_line, bindpw_file) },
	{ "user-dn", set_text, offsetof(struct ldap_line, user_dn) },
	{ "user-attr", set_text, offsetof(struct ldap_line, user_attr) },
	{ "group-attr", set_text, offsetof(struct ldap_line, group_attr) },
	{ "group-base", set_text, offsetof(struct ldap_line, group_base) },
	{ "group-filter", set_text, offsetof(struct ldap_line, group_filter) },
	{ "nested", set_nested, offsetof(struct ldap_line, nested) },
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };

static enum err set(const struct reader *r, const struct backend_pair *pair)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strcasecmp(keys[i].key, pair->key) == 0)
			return keys[i].set ? keys[i].set(r, keys[i].key, pair->value,
							 (char *)r->line + keys[i].offset)
					   : ERR_OK;
	return fault(r, "ldap: unknown option '%s'; sallyport-ldap(5) lists them", pair->key);
}

/* ---- the file ------------------------------------------------------------- */

static enum err read_file(const struct reader *r, const char *path, char **text, size_t *len)
{
	enum err err = file_read(r->line, path, LDAP_FILE_MAX - 1, text, len);

	if (err == ERR_TOO_LONG)
		return fault(r, "ldap: %s is longer than %d bytes", path, LDAP_FILE_MAX - 1);
	if (err && err != ERR_NOMEM)
		return fault(r, "ldap: cannot read the file of 'config', %s: %s", path,
			     strerror(errno));
	return err;
}

static enum err take_file(struct reader *r, const char *path)
{
	char *text;
	size_t len = 0;
	unsigned line;
	enum err err = read_file(r, path, &text, &len);

	if (err)
		return err;
	err = ldap_file_parse(r->line, text, len, &r->pairs, &line);
	if (err == ERR_SYNTAX)
		return fault(r, "ldap: %s, line %u: write KEY = VALUE", path, line);
	if (err == ERR_TOO_LONG)
		return fault(r, "ldap: %s has more than %d lines", path, LDAP_PAIRS_MAX);
	return err;
}

/* The values of the file, then those of the line. */
static enum err take_pairs(struct reader *r, const struct backend_pairs *options)
{
	const char *file = backend_pair_get(options, "config");
	enum err err = file ? take_file(r, file) : ERR_OK;

	for (size_t i = 0; !err && i < r->pairs.n; i++)
		err = set(r, &r->pairs.item[i]);
	for (size_t i = 0; !err && i < options->n; i++) {
		struct backend_pair pair = options->item[i];

		/* What a verdict needs may outlive the options. */
		pair.value = talloc_strdup(r->line, pair.value);
		err = pair.value ? set(r, &pair) : ERR_NOMEM;
	}
	return err;
}

/* ---- what belongs together ------------------------------------------------ */

static bool is_plain(const struct ldap_line *l, const char *uri)
{
	return !l->starttls && is_scheme(uri, "ldap://");
}

static enum err check_servers(const struct reader *r)
{
	const struct ldap_line *l = r->line;

	if (l->ca && access(l->ca, R_OK) < 0)
		return fault(r, "ldap: cannot read the authorities in 'ca', %s: %s", l->ca,
			     strerror(errno));

	if (!l->uri.n)
		return fault(r, "ldap: no server specified; write uri=ldaps://HOST");
	for (size_t i = 0; !l->insecure && i < l->uri.n; i++)
		if (is_plain(l, l->uri.item[i]))
			return fault(
				r,
				"ldap: passwords would cross the network in clear to %s; write "
				"ldaps:// or add starttls=true (insecure=true allows it)",
				l->uri.item[i]);
	return ERR_OK;
}

static enum err check_binding(const struct reader *r)
{
	const struct ldap_line *l = r->line;
	struct stat st;

	if (l->binddn && !l->bindpw_file)
		return fault(r,
			     "ldap: binddn needs a password; write it into a file that only root "
			     "may read and add bindpw-file=FILE");
	if (l->bindpw_file && !l->binddn)
		return fault(r, "ldap: bindpw-file without binddn; add binddn='DN' that it is for");
	if (!l->bindpw_file)
		return ERR_OK;
	if (stat(l->bindpw_file, &st) < 0)
		return fault(r, "ldap: cannot read bindpw-file %s: %s", l->bindpw_file,
			     strerror(errno));
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return fault(r, "ldap: bindpw-file %s is open to others; chmod 600 it",
			     l->bindpw_file);
	return ERR_OK;
}

static enum err check_user(const struct reader *r)
{
	struct ldap_line *l = r->line;
	const char *bad;

	if (!l->user_dn && !l->base)
		return fault(r,
			     "ldap: no base to search for users; write base='dc=example,dc=com'");
	if (l->user_dn && l->user_attr)
		return fault(r,
			     "ldap: user-attr has no use with user-dn, which names the attribute");
	if (l->user_dn && (bad = ldap_dn_fault(l->user_dn)) != NULL)
		return fault(r, "ldap: user-dn %s", bad);
	if (!l->filter)
		l->filter = l->user_dn ? "(objectClass=*)" : "(uid=%u)";
	else if ((bad = ldap_filter_fault(l->filter, "u", !l->user_dn)) != NULL)
		return fault(r, "ldap: filter %s", bad);
	if (!l->user_attr)
		l->user_attr = ldap_user_attr(l, l->user_dn ? l->user_dn : l->filter);
	if (!l->user_attr)
		return fault(r, "ldap: add user-attr=ATTRIBUTE: it is not clear which attribute "
				"holds the user's name");
	return ERR_OK;
}

static enum err check_groups(const struct reader *r)
{
	struct ldap_line *l = r->line;
	const char *bad;

	if (l->group_filter && !l->group_base)
		return fault(r, "ldap: group-filter without group-base; add group-base='DN'");
	if (l->group_base && !l->group_filter)
		l->group_filter = "(|(member=%d)(uniqueMember=%d)(memberUid=%u))";
	if (l->group_filter && (bad = ldap_filter_fault(l->group_filter, "ud", true)) != NULL)
		return fault(r, "ldap: group-filter %s", bad);
	if (!l->group_attr && !l->group_base)
		l->group_attr = "memberOf";
	if (l->nested == LDAP_NESTED_CHAIN && !l->group_base && !l->base)
		return fault(r, "ldap: nested=chain needs group-base='DN' to search for groups");
	return ERR_OK;
}

static enum err line_open(TALLOC_CTX *ctx, const struct backend_pairs *options, void **out,
			  const char **why)
{
	struct reader r = { .line = talloc_zero(ctx, struct ldap_line), .ctx = ctx, .why = why };
	enum err err;

	if (!r.line)
		return ERR_NOMEM;
	r.line->timeout = TIMEOUT;
	err = take_pairs(&r, options);
	if (!err)
		err = check_servers(&r);
	if (!err)
		err = check_binding(&r);
	if (!err)
		err = check_user(&r);
	if (!err)
		err = check_groups(&r);
	if (err)
		return err;
	*out = r.line;
	return ERR_OK;
}

static void line_remark(const void *conf)
{
	const struct ldap_line *l = conf;

	for (size_t i = 0; i < l->uri.n; i++)
		if (is_plain(l, l->uri.item[i]))
			log_warn(NULL, "ldap-insecure", kv_str("server", l->uri.item[i]),
				 kv_text("passwords cross the network in clear (insecure=true)"));
}

const struct auth_backend backend_ldap = {
	.name = "ldap",
	.front = FRONT_FORM,
	.knows_groups = true,
	.tries = TRIES,
	.waits = true,
	.rechecks = true,
	.lists_groups = true,
	.open = line_open,
	.remark = line_remark,
};
