/* test_conf_options.c - every row of options.def by its type and scope, so that a new option is
 * tested by being there: good values come back from --print-config, wrong ones and wrong places are
 * told with file, line, option and what would be right. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/conf_help.h"

/* By type: a good value, how --print-config shows it, and one that must be refused (NULL: the type
 * takes anything). */
static const struct {
	const char *type, *good, *shown, *bad;
} types[] = {
	{ "boolean", "YES", "true", NULL },
	{ "number", "7", "7", NULL },
	{ "seconds", "7", "7", NULL },
	{ "milliseconds", "7", "7", NULL },
	{ "prefix length", "64", "64", "129" },
	{ "bytes", "500", "500", NULL },
	{ "bytes per second", "5999", "5000", NULL },
	{ "text", "\"a b\"", "a b", NULL },
	{ "path", "/", "/", NULL },
	{ "secret", "hush", NULL, NULL },
	{ "list", "a;b", "a;b", NULL },
	{ "facility", "local3", "local3", "moon" },
	{ "ssl | new-tunnel", "ssl", "ssl", "magic" },
	{ "algorithms", "lzs:lz4", "lzs:oc-lz4", NULL },
	{ "text | json", "json", "json", "xml" },
	{ "priority", "0x1c", "0x1c", NULL },
	{ "IPv4 network", "10.5.0.9/16", "10.5.0.0/16", "fd05::/48" },
	{ "IPv4 mask", "255.255.0.0", "255.255.0.0", "255.0.255.0" },
	{ "IPv6 network", "fd05::9/48", "fd05::/48", "10.5.0.0/16" },
	{ "IPv4 address", "10.5.0.5", "10.5.0.5", "fd05::5" },
	{ "IPv6 address", "fd05::5", "fd05::5", "10.5.0.5" },
	{ "networks", "192.0.2.7", "192.0.2.7/32", "192.0.2.0/33" },
	{ "route list", "10.5.0.0/16", "10.5.0.0/255.255.0.0", "10.5.0.0/16;x" },
	{ "port list", " TCP ( 443 )", "tcp(443)", "tcp(443),x" },
	{ "group list", "abc[A b]", "abc[A b]", "[A b]" },
	{ "method", "gssapi", "gssapi", "magic" },
	{ "techniques", "sealing udp-gso", "udp-gso,sealing", "sealing,speed" },
	{ "KDC proxy", "/kdc REALM tcp@192.0.2.1:88", "/kdc REALM tcp@192.0.2.1:88", "/kdc" },
};

/* Options with narrower values than their type, or that need others beside them. */
static const struct {
	const char *option, *good, *shown, *bad, *beside;
} narrower[] = {
	{ "tcp-port", "7", "7", "70000", "" },
	{ "udp-port", "7", "7", "70000", "" },
	{ "log-level", "7", "7", NULL, "" },
	{ "device", "abc", "abc", "a/b", "" },
	{ "run-as-user", "root", "root", "no-such-user", "" },
	{ "run-as-group", "root", "root", "no-such-group", "" },
	{ "cert-user-oid", "2.5.4.3", "2.5.4.3", NULL, "" },
	{ "cert-group-oid", "2.5.4.11", "2.5.4.11", NULL, "" },
	{ "dns", "192.0.2.1", "192.0.2.1", "local", "" },
	{ "acct", "pam", "pam", "gssapi", "" },
	{ "multiple-cert-auth", "yes", "true", NULL,
	  "enable-auth = certificate\ncert-user-oid = 2.5.4.3\n" },
	{ "match-tls-dtls-ciphers", "yes", "true", NULL, "dtls-legacy = no\n" },
	{ "listen-proxy-from", "192.0.2.7", "192.0.2.7/32", "x", "listen-proxy-proto = yes\n" },
	{ "isolate-workers", "no", "false", NULL, "" },
	{ "camouflage", "yes", "true", NULL, "camouflage_secret = word\n" },
	{ "user-profile", "/dev/null", "/dev/null", "/nonexistent", "" },
	{ "ipv4-netmask", "255.255.0.0", "255.255.0.0", "255.0.255.0",
	  "ipv4-network = 10.5.0.0\n" },
};

struct values {
	const char *good, *shown, *bad, *beside;
};

static struct values values_of(const struct conf_option *o)
{
	for (size_t i = 0; i < sizeof(narrower) / sizeof(narrower[0]); i++)
		if (strcmp(narrower[i].option, o->name) == 0)
			return (struct values){ narrower[i].good, narrower[i].shown,
						narrower[i].bad, narrower[i].beside };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, o->type->name) == 0)
			return (struct values){ types[i].good, types[i].shown, types[i].bad, "" };
	fail_msg("no values for type %s of %s", o->type->name, o->name);
	return (struct values){ 0 };
}

/* CONF_MINIMAL without the line of O, so that a list has one element and a method is the only one.
 */
static char *file_without(TALLOC_CTX *ctx, const struct conf_option *o)
{
	char *out = talloc_strdup(ctx, ""), *save = NULL;
	char *copy = talloc_strdup(ctx, CONF_MINIMAL);
	size_t len = strlen(o->name);

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strncmp(l, o->name, len) != 0 || l[len] != ' ')
			out = talloc_asprintf_append(out, "%s\n", l);
	return out;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

static char *show(TALLOC_CTX *ctx, const struct conf *conf)
{
	char *text = NULL, *copy;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	conf_show(conf, out);
	fclose(out);
	copy = talloc_strndup(ctx, text, len);
	free(text);
	return copy;
}

/* The finding about LINE, or NULL. */
static const char *finding_at(const struct fixture *f, unsigned line)
{
	for (size_t i = 0; i < f->report->n; i++)
		if (f->report->item[i].where.line == line)
			return conf_problem_text(f->ctx, &f->report->item[i]);
	return NULL;
}

/* A finding helps when it says what would be right, in one line. */
static bool helps(const char *text)
{
	static const char *const words[] = { "use ",	    "write ",	 "Write ",
					     "using ",	    "at most",	 "cannot open file",
					     "is not an I", "expected ", "means false here" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]))
			return !strchr(text, '\n');
	return false;
}

/* BODY has a fixture of its own for every option. */
static void for_each_option(void (*body)(struct fixture *f, const struct conf_option *o))
{
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		struct fixture f = fixture_new();

		body(&f, &conf_options[i]);
		talloc_free(f.ctx);
	}
}

/* ---- good values --------------------------------------------------------- */

/* "\nNAME = SHOWN " in what is printed. */
static char *printed_line(TALLOC_CTX *ctx, const struct conf_option *o, const struct values *v)
{
	return v->shown ? talloc_asprintf(ctx, "\n%s = %s ", o->name, v->shown)
			: talloc_asprintf(ctx, "\n#%s = (set, not shown) ", o->name);
}

static void try_a_good_value_comes_back_from_print_config(struct fixture *f,
							  const struct conf_option *o)
{
	struct values v = values_of(o);
	struct fixture g = fixture_new();
	char *first, *text = talloc_asprintf(f->ctx, "%s%s%s = %s\n", file_without(f->ctx, o),
					     v.beside, o->name, v.good);

	talloc_steal(f->ctx, g.ctx);
	if (o->scope == CONF_SCOPE_PERUSER)
		return;
	if (fixture_load(f, text))
		fixture_explain(f, o->name);
	assert_non_null(f->conf);
	first = show(f->ctx, f->conf);
	if (!strstr(first, printed_line(f->ctx, o, &v)))
		print_message("%s: %s is not in\n%s\n", o->name, printed_line(f->ctx, o, &v),
			      first);
	assert_non_null(strstr(first, printed_line(f->ctx, o, &v)));
	/* What a secret must stand beside cannot be loaded from what does not show it. */
	if (strstr(first, "(set, not shown)"))
		return;
	assert_int_equal(fixture_load(&g, first), ERR_OK);
	if (v.shown)
		assert_non_null(strstr(show(g.ctx, g.conf), printed_line(f->ctx, o, &v)));
}

static void a_good_value_comes_back_from_print_config(void **state)
{
	(void)state;
	for_each_option(try_a_good_value_comes_back_from_print_config);
}

/* In a host of its own for V and U, and refused there for G; L counts for the whole server. */
static void scopes_hold_in_a_virtual_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		struct values v = values_of(o);
		struct fixture f = fixture_new();
		const char *base = talloc_asprintf(f.ctx, "%s[vhost:a]\n%s", CONF_MINIMAL,
						   o->scope == CONF_SCOPE_GLOBAL ? "" : v.beside);
		/* Keys and certificates go in pairs. */
		const char *pair = strcmp(o->name, "server-cert") == 0	? "server-key = /x\n"
				   : strcmp(o->name, "server-key") == 0 ? "server-cert = /x\n"
									: "";
		unsigned line = count_lines(base) + 1;
		char *text = talloc_asprintf(f.ctx, "%s%s = %s\n%s", base, o->name, v.good, pair);
		enum err err = fixture_load(&f, text);
		const char *said = finding_at(&f, line);

		if (err != (o->scope == CONF_SCOPE_GLOBAL ? ERR_CONF : ERR_OK))
			fixture_explain(&f, o->name);
		switch (o->scope) {
		case CONF_SCOPE_GLOBAL:
			assert_int_equal(err, ERR_CONF);
			assert_string_equal(
				said, talloc_asprintf(f.ctx,
						      "error: t.conf:%u: '%s' cannot be set inside "
						      "a virtual host section; move it before the "
						      "first [vhost:...]",
						      line, o->name));
			break;
		case CONF_SCOPE_GLOBAL_LOOSE:
			assert_int_equal(err, ERR_OK);
			assert_non_null(strstr(show(f.ctx, f.conf), printed_line(f.ctx, o, &v)));
			break;
		case CONF_SCOPE_PERUSER:
			assert_int_equal(err, ERR_OK);
			assert_non_null(said);
			break;
		default:
			assert_int_equal(err, ERR_OK);
			assert_int_equal(f.conf->n_hosts, 2);
			assert_int_equal(f.conf->host[1]->origin[i]->line, line);
		}
		talloc_free(f.ctx);
	}
}

static size_t list_length(const struct host_conf *host, const struct conf_option *o)
{
	struct {
		void *item;
		size_t n;
	} list;

	memcpy(&list, (const char *)host + o->offset, sizeof(list));
	return list.n;
}

/* config.md 3.2: a host adds to the lists that a reload may change, and replaces the others. */
static void try_lists_of_a_host_are_appended_or_replaced(struct fixture *f,
							 const struct conf_option *o)
{
	struct values v = values_of(o);
	char *line = talloc_asprintf(f->ctx, "%s = %s\n", o->name, v.good);
	const char *pair = strcmp(o->name, "server-cert") == 0	? "server-key = /x\n"
			   : strcmp(o->name, "server-key") == 0 ? "server-cert = /x\n"
								: "";

	if (!o->type->item || (o->scope != CONF_SCOPE_VHOST && o->scope != CONF_SCOPE_USER))
		return;
	assert_int_equal(
		fixture_load(f, talloc_asprintf(f->ctx, "%s%s[vhost:a]\n%s%s[vhost:b]\ndpd = 1\n",
						file_without(f->ctx, o), line, line, pair)),
		ERR_OK);
	assert_int_equal(list_length(f->conf->host[0], o), 1);
	assert_int_equal(list_length(f->conf->host[1], o), o->flags & CONF_RELOAD ? 2 : 1);
	assert_int_equal(list_length(f->conf->host[2], o), 1);
}

static void lists_of_a_host_are_appended_or_replaced(void **state)
{
	(void)state;
	for_each_option(try_lists_of_a_host_are_appended_or_replaced);
}

static void options_of_users_are_skipped_in_the_main_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		char text[200], want[300];

		if (o->scope != CONF_SCOPE_PERUSER)
			continue;
		snprintf(text, sizeof(text), "%s = %s\n", o->name, values_of(o).good);
		snprintf(want, sizeof(want),
			 "warning: t.conf:8: skipping unknown option '%s'; it belongs into "
			 "per-user and per-group files",
			 o->name);
		accepts(text, want);
	}
}

/* ---- reload -------------------------------------------------------------- */

/* OLD after a reload of a file with TEXT. */
static struct conf *reloaded(struct fixture *f, const char *text)
{
	char path[] = "/tmp/sallyport-conf.XXXXXX";
	int fd = mkstemp(path);
	struct conf *new = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	TALLOC_FREE(f->report);
	f->report = conf_report_new(f->ctx);
	assert_int_equal(conf_reload_file(f->ctx, path, f->conf, f->report, &new), ERR_OK);
	unlink(path);
	return new;
}

/* Findings that name OPTION and ask for a restart. */
static unsigned asks_for_restart(const struct fixture *f, const char *option)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->report->n; i++) {
		const char *text = conf_problem_text(f->ctx, &f->report->item[i]);

		n += strstr(text, talloc_asprintf(f->ctx, "%s: the change needs a restart",
						  option)) != NULL;
	}
	return n;
}

/* config.md 5, 8: R counts, S stays and is told in one line; what changes nothing is not told. */
static void try_a_reload_takes_what_is_reloadable_and_names_the_rest(struct fixture *f,
								     const struct conf_option *o)
{
	struct values v = values_of(o);
	bool reload = o->flags & CONF_RELOAD, noop = o->flags & CONF_NOOP;
	char *base = talloc_asprintf(f->ctx, "%s%s", file_without(f->ctx, o), v.beside);
	char *text = talloc_asprintf(f->ctx, "%s%s = %s\n", base, o->name, v.good);
	char *line = printed_line(f->ctx, o, &v);
	struct conf *new;

	if (o->scope == CONF_SCOPE_PERUSER)
		return;
	assert_int_equal(fixture_load(f, talloc_asprintf(f->ctx, "%s%s", CONF_MINIMAL, v.beside)),
			 ERR_OK);
	new = reloaded(f, text);
	if (!strstr(show(f->ctx, new), line) == reload)
		fail_msg("%s: after the reload %s it is\n%s", o->name, line, show(f->ctx, new));
	if (asks_for_restart(f, o->name) != !(reload || noop))
		fixture_explain(f, o->name);
	assert_int_equal(asks_for_restart(f, o->name), !(reload || noop));
	/* Once more nothing new is told. */
	assert_int_equal(fixture_load(f, text), ERR_OK);
	new = reloaded(f, text);
	assert_non_null(strstr(show(f->ctx, new), line));
	assert_int_equal(asks_for_restart(f, o->name), 0);
}

static void a_reload_takes_what_is_reloadable_and_names_the_rest(void **state)
{
	(void)state;
	for_each_option(try_a_reload_takes_what_is_reloadable_and_names_the_rest);
}

/* ---- files of users ------------------------------------------------------ */

/* The value that a session has when TEXT is the user's file. */
static const char *session_value(struct fixture *f, const struct conf_option *o, const char *text)
{
	struct conf_rows rows = { 0 };
	struct session_conf *s;
	struct buf b;
	const void *field;

	assert_int_equal(fixture_load(f, CONF_MINIMAL), ERR_OK);
	if (conf_user_parse(f->ctx, "u", text, strlen(text), f->report, &rows) ||
	    conf_session_new(f->ctx, f->conf->host[0], &rows, f->report, &s))
		return "refused";
	field = (const char *)s + o->session_offset;
	buf_init(&b, f->ctx, 4096);
	if (o->type->item)
		memcpy(&field, field, sizeof(field)); /* the first element: {item, n} */
	o->type->print(field, &b);
	return buf_text(&b);
}

static void a_user_file_takes_what_is_for_users_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		struct values v = values_of(o);
		struct fixture f = fixture_new();
		char *text = talloc_asprintf(f.ctx, "%s = %s\n%s", o->name, v.good, v.beside);

		if (o->scope == CONF_SCOPE_USER || o->scope == CONF_SCOPE_PERUSER) {
			const char *value = session_value(&f, o, text);

			if (strcmp(value, v.shown) != 0)
				fixture_explain(&f, o->name);
			assert_string_equal(value, v.shown);
		} else {
			struct conf_rows rows = { 0 };

			assert_int_equal(
				conf_user_parse(f.ctx, "u", text, strlen(text), f.report, &rows),
				ERR_OK);
			assert_string_equal(finding_at(&f, 1),
					    talloc_asprintf(f.ctx,
							    "info: u:1: skipping unknown option "
							    "'%s'; it belongs into the server's "
							    "configuration file",
							    o->name));
		}
		talloc_free(f.ctx);
	}
}

static void try_a_bad_value_in_a_user_file_refuses_the_session(struct fixture *f,
							       const struct conf_option *o)
{
	struct values v = values_of(o);
	const char *said;

	/* Whether a profile can be read is known to its reader. */
	if ((o->scope != CONF_SCOPE_USER && o->scope != CONF_SCOPE_PERUSER) || !v.bad ||
	    o->type == conf_option_find("user-profile")->type)
		return;
	assert_string_equal(
		session_value(f, o, talloc_asprintf(f->ctx, "\n%s = %s\n", o->name, v.bad)),
		"refused");
	said = finding_at(f, 2);
	assert_non_null(said);
	assert_memory_equal(said, "error: u:2: ", 12);
	assert_non_null(strstr(said, o->name));
	assert_true(helps(said));
}

static void a_bad_value_in_a_user_file_refuses_the_session(void **state)
{
	(void)state;
	for_each_option(try_a_bad_value_in_a_user_file_refuses_the_session);
}

/* ---- wrong values -------------------------------------------------------- */

static void try_a_bad_value_is_refused_with_its_place_and_a_remedy(struct fixture *f,
								   const struct conf_option *o)
{
	struct values v = values_of(o);
	char *base = file_without(f->ctx, o);
	unsigned line = count_lines(base) + 1;
	const char *said;

	if (!v.bad || o->scope == CONF_SCOPE_PERUSER)
		return;
	assert_int_equal(
		fixture_load(f, talloc_asprintf(f->ctx, "%s%s = %s\n", base, o->name, v.bad)),
		ERR_CONF);
	said = finding_at(f, line);
	if (!said || !helps(said))
		fixture_explain(f, o->name);
	assert_non_null(said);
	assert_true(helps(said));
	assert_non_null(
		strstr(said, talloc_asprintf(f->ctx, "error: t.conf:%u: %s: ", line, o->name)));
}

static void a_bad_value_is_refused_with_its_place_and_a_remedy(void **state)
{
	(void)state;
	for_each_option(try_a_bad_value_is_refused_with_its_place_and_a_remedy);
}

static bool is_number(const struct conf_option *o)
{
	return strcmp(o->type->name, "number") == 0 || strcmp(o->type->name, "seconds") == 0 ||
	       strcmp(o->type->name, "milliseconds") == 0 || strcmp(o->type->name, "bytes") == 0;
}

/* config.md 2.1: leading digits count, no digits are 0, and a warning says which value counts. */
static void odd_numbers_warn_and_count_as_their_digits(void **state)
{
	static const char *const rows[][2] = { { "8 apples", "8" }, { "0x8", "0" }, { "+8", "8" } };

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT * 3; i++) {
		const struct conf_option *o = &conf_options[i / 3];
		struct fixture f = fixture_new();
		char *want = talloc_asprintf(f.ctx,
					     "warning: t.conf:8: %s: '%s' is not a plain number; "
					     "using %s",
					     o->name, rows[i % 3][0], rows[i % 3][1]);

		/* A port of 0 is missing. */
		if (is_number(o) && strcmp(o->name, "tcp-port") != 0)
			accepts(talloc_asprintf(f.ctx, "%s = %s\n", o->name, rows[i % 3][0]), want);
		talloc_free(f.ctx);
	}
}

/* config.md 2.1: true and yes in any case; all else is false, and what is no word for it warns. */
static void odd_words_are_false(void **state)
{
	static const char *const rows[][2] = {
		{ "true", "true" }, { "Yes", "true" }, { "false", "false" },
		{ "NO", "false" },  { "1", "false" },  { "on", "false" },
		{ "tru", "false" }, { "", "false" },   { "yes!", "false" },
	};

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];

		for (size_t k = 0;
		     strcmp(o->type->name, "boolean") == 0 && k < sizeof(rows) / sizeof(rows[0]);
		     k++) {
			struct fixture f = fixture_new();
			const char *beside = values_of(o).beside;
			char *text =
				talloc_asprintf(f.ctx, "%s%s = %s\n", beside, o->name, rows[k][0]);
			char *line = talloc_asprintf(f.ctx, "\n%s = %s ", o->name, rows[k][1]);
			unsigned at = count_lines(CONF_MINIMAL) + count_lines(beside) + 1;
			const char *said;

			assert_int_equal(fixture_load_more(&f, text), ERR_OK);
			assert_non_null(strstr(show(f.ctx, f.conf), line));
			said = finding_at(&f, at);
			if (k == 4 || k == 5 || k == 6 || k == 8)
				assert_non_null(strstr(said, "means false here"));
			talloc_free(f.ctx);
		}
	}
}

/* ---- wrong names --------------------------------------------------------- */

static void a_misspelled_name_is_told_the_right_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		TALLOC_CTX *ctx = talloc_new(NULL);
		char *name = talloc_asprintf(ctx, "%sx", o->name),
		     *upper = talloc_strdup(ctx, name);

		upper[0] = (char)(upper[0] - 'a' + 'A');
		accepts(talloc_asprintf(ctx, "%s = 1\n", name),
			talloc_asprintf(ctx,
					"warning: t.conf:8: skipping unknown option '%s'; did you "
					"mean '",
					name));
		upper[strlen(upper) - 1] = '\0';
		accepts(talloc_asprintf(ctx, "%s = 1\n", upper),
			talloc_asprintf(ctx, "option '%s'; did you mean '%s'?", upper, o->name));
		talloc_free(ctx);
	}
}

static void suggestions_are_near(void **state)
{
	static const char *const rows[][2] = {
		{ "camouflage-secret", "camouflage_secret" },
		{ "dtls_legacy", "dtls-legacy" },
		{ "route-add", NULL },
		{ "tcp_prot", "tcp-port" },
		{ "cgroup", NULL },
		{ "mtv", "mtu" },
		{ "x", NULL },
		{ "", NULL },
		{ "a-name-that-is-longer-than-any-option-of-the-table", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct conf_option *o = conf_option_like(rows[i][0]);

		assert_string_equal(o ? o->name : "", rows[i][1] ? rows[i][1] : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_value_comes_back_from_print_config),
		cmocka_unit_test(scopes_hold_in_a_virtual_host),
		cmocka_unit_test(lists_of_a_host_are_appended_or_replaced),
		cmocka_unit_test(options_of_users_are_skipped_in_the_main_file),
		cmocka_unit_test(a_reload_takes_what_is_reloadable_and_names_the_rest),
		cmocka_unit_test(a_user_file_takes_what_is_for_users_only),
		cmocka_unit_test(a_bad_value_in_a_user_file_refuses_the_session),
		cmocka_unit_test(a_bad_value_is_refused_with_its_place_and_a_remedy),
		cmocka_unit_test(odd_numbers_warn_and_count_as_their_digits),
		cmocka_unit_test(odd_words_are_false),
		cmocka_unit_test(a_misspelled_name_is_told_the_right_one),
		cmocka_unit_test(suggestions_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
