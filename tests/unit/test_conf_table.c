/* test_conf_table.c - the option table and what is made from it: the sample, the manual, and
 * --print-config. */
#include <ctype.h>
#include <stdlib.h>

#include "tests/unit/conf_help.h"

static void rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];

		assert_int_equal(o->id, i);
		assert_true(o->to != 0);
		assert_ptr_equal(conf_option_find(o->name), o);
		assert_null(conf_alias_find(o->name));
		assert_int_equal(o->doc[strlen(o->doc) - 1], '.');
		/* A default of a list could not be replaced. */
		assert_true(!o->type->item || !o->def);
	}
}

static void names_lead_to_options(void **state)
{
	(void)state;
	assert_ptr_equal(conf_option_of("ipv6-dns"), conf_option_find("dns"));
	assert_null(conf_option_of("session-control"));
	assert_null(conf_option_of("DPD"));
}

/* A value that the type of O can only refuse; NULL when it takes anything. */
static const char *wrong_value(const struct conf_option *o)
{
	static const char *const rows[][2] = {
		{ "IPv4 network", "nonsense" },	   { "IPv4 mask", "255.0.255.0" },
		{ "IPv6 network", "10.0.0.0/8" },  { "IPv4 address", "fd00::1" },
		{ "IPv6 address", "10.0.0.1" },	   { "networks", "10.0.0.0/33" },
		{ "route list", "10.0.0.0/24;x" }, { "port list", "tcp(" },
		{ "group list", "[label]" },	   { "method", "nonsense" },
		{ "facility", "nonsense" },	   { "ssl | new-tunnel", "nonsense" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i][0], o->type->name) == 0)
			return rows[i][1];
	return o->limits.kind == CONF_LIMIT_RANGE ? "4294967295" : NULL;
}

static void values_of_the_wrong_type_are_refused_by_name(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		const char *wrong = wrong_value(o);
		char text[200], want[200];

		if (!wrong || o->scope == CONF_SCOPE_PERUSER)
			continue;
		snprintf(text, sizeof(text), "%s = %s\n", o->name, wrong);
		snprintf(want, sizeof(want), "error: t.conf:8: %s: ", o->name);
		refuses(text, want);
		tried++;
	}
	assert_true(tried >= 12);
}

static void numbers_take_leading_digits_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		char text[200], want[200];

		if (strcmp(o->type->name, "seconds") != 0)
			continue;
		snprintf(text, sizeof(text), "%s = 12 apples\n", o->name);
		snprintf(want, sizeof(want),
			 "warning: t.conf:8: %s: '12 apples' is not a plain number; using 12",
			 o->name);
		accepts(text, want);
	}
}

static char *print_with(void (*fn)(FILE *), TALLOC_CTX *ctx)
{
	char *text = NULL, *copy;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fn(out);
	fclose(out);
	copy = talloc_strndup(ctx, text, len);
	free(text);
	return copy;
}

/* compat-checklist 119. */
static void the_sample_has_every_option_and_loads(void **state)
{
	struct fixture f = fixture_new();
	char *sample = print_with(conf_sample, f.ctx);

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		char line[100];

		snprintf(line, sizeof(line), "\n#%s = ", conf_options[i].name);
		if (!strstr(sample, line)) {
			snprintf(line, sizeof(line), "\n%s = ", conf_options[i].name);
			assert_non_null(strstr(sample, line));
		}
	}
	assert_int_equal(fixture_load(&f, sample), ERR_OK);
	assert_int_equal(f.report->warnings, 0);
	talloc_free(f.ctx);
}

/* Every sample line alone is accepted by the host or by a per-user file, as its scope says. */
static void every_sample_line_is_good(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *save = NULL, *sample = print_with(conf_sample, ctx);

	(void)state;
	for (char *l = strtok_r(sample, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct conf_rows rows = { 0 };
		struct conf_row row = { .file = "sample", .line = 1 };
		struct conf_report *report = conf_report_new(ctx);
		struct conf *conf;
		char *eq = strstr(l, " = ");

		if (l[0] != '#' || l[1] == ' ' || !eq)
			continue;
		*eq = '\0';
		row.option = l + 1;
		row.value = eq + 3;
		assert_int_equal(conf_rows_add(ctx, &rows, &row), ERR_OK);
		assert_int_equal(conf_from_rows(ctx, &rows, CONF_SHARE, report, &conf), ERR_OK);
		assert_int_equal(report->warnings,
				 conf_option_find(row.option)->scope == CONF_SCOPE_PERUSER);
	}
	talloc_free(ctx);
}

/* The file NAME of doc/ is what FN prints; srcdir comes from the test driver. */
static void shipped_is_current(const char *name, void (*fn)(FILE *))
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *dir = getenv("srcdir") ? getenv("srcdir") : SRCDIR;
	FILE *in = fopen(talloc_asprintf(ctx, "%s/doc/%s", dir, name), "r");
	char *want = print_with(fn, ctx);
	char *shipped = talloc_zero_size(ctx, strlen(want) + 2);

	assert_non_null(in);
	assert_int_equal(fread(shipped, 1, strlen(want) + 1, in), strlen(want));
	assert_string_equal(shipped, want);
	fclose(in);
	talloc_free(ctx);
}

/* Both are made by confgen from the table. */
static void the_shipped_sample_and_manual_are_current(void **state)
{
	(void)state;
	shipped_is_current("sallyport.conf.sample", conf_sample);
	shipped_is_current("sallyport.conf.5", conf_man);
}

/* The text of the option's entry, up to the next one. */
static char *entry_of(TALLOC_CTX *ctx, const char *text, const char *begin, const char *end)
{
	const char *at = strstr(text, begin), *stop = at ? strstr(at + 1, end) : NULL;

	assert_non_null(at);
	return talloc_strndup(ctx, at, stop ? (size_t)(stop + 1 - at) : strlen(at));
}

/* Issue: scope, reload class and default of each option, in the manual and in the sample. */
static void manual_and_sample_tell_what_the_table_says(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *man = print_with(conf_man, ctx), *sample = print_with(conf_sample, ctx);

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *o = &conf_options[i];
		const char *scope = conf_scope_name(o->scope);
		char *m = entry_of(ctx, man, talloc_asprintf(ctx, ".It Cm %s No =", o->name),
				   "\n.It ");
		char *line = strstr(sample, talloc_asprintf(ctx, "\n%s = ", o->name));
		char *facts = talloc_asprintf(ctx, "# [%s; %s%s%s%s]", o->type->name, scope,
					      o->flags & CONF_RELOAD ? "" : "; restart",
					      o->def ? "; default " : "", o->def ? o->def : "");

		assert_non_null(strstr(m, talloc_asprintf(ctx, "\nScope: %s.\n", scope)));
		assert_non_null(strstr(m, o->flags & CONF_RELOAD
						  ? "\nReload: yes.\n"
						  : "\nReload: no, takes a restart.\n"));
		if (o->def && *o->def)
			assert_non_null(
				strstr(m, talloc_asprintf(ctx, "\nDefault: %s.\n", o->def)));
		line = line ? line : strstr(sample, talloc_asprintf(ctx, "\n#%s = ", o->name));
		assert_non_null(line);
		for (line--; line > sample && line[-1] != '\n';)
			line--;
		assert_memory_equal(line, facts, strlen(facts));
	}
	talloc_free(ctx);
}

static void comments_of_the_sample_fit_a_terminal(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *save = NULL, *sample = print_with(conf_sample, ctx);

	(void)state;
	for (char *l = strtok_r(sample, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (l[0] == '#' && l[1] == ' ' && l[2] != '[')
			assert_true(strlen(l) <= 78);
	talloc_free(ctx);
}

static void the_manual_has_every_option(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *man = print_with(conf_man, ctx);

	(void)state;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++)
		assert_non_null(
			strstr(man, talloc_asprintf(ctx, ".It Cm %s No =", conf_options[i].name)));
	for (size_t i = 0; i < conf_n_aliases; i++)
		assert_non_null(
			strstr(man, talloc_asprintf(ctx, ".It Cm %s\n", conf_aliases[i].name)));
	talloc_free(ctx);
}

/* The next line from TEXT on that is no comment; the end when there is none. */
static char *next_setting(char *text)
{
	while (*text == '#' || (*text && text[-1] != '\n'))
		text += strcspn(text, "\n") + 1;
	return text;
}

/* --print-config of a configuration loads and gives the same again. */
static void what_print_config_shows_loads_again(void **state)
{
	struct fixture f = fixture_new(), g = fixture_new();
	char *first = NULL, *second = NULL;
	size_t len;
	FILE *out = open_memstream(&first, &len);

	(void)state;
	assert_int_equal(
		fixture_load_more(&f,
				  "route = 10.0.0.0/8\nkey-pin = 12345\n"
				  "restrict-user-to-ports = !(tcp(1), icmp())\n"
				  "net-priority = 0x1c\nselect-group = a[B]\n"
				  "[vhost:x]\nsyslog-facility = local3\ndpd = 3\nkey-pin = 54321\n"
				  "route = 10.1.0.0/16\n"),
		ERR_OK);
	conf_show(f.conf, out);
	fclose(out);
	assert_null(strstr(first, "12345"));
	assert_null(strstr(first, "54321"));
	assert_non_null(strstr(first, "\n[vhost:x]\n"));
	assert_non_null(strstr(first, "# t.conf:9\n"));
	assert_int_equal(fixture_load(&g, first), ERR_OK);
	assert_int_equal(g.conf->host[1]->route.n, f.conf->host[1]->route.n);
	out = open_memstream(&second, &len);
	conf_show(g.conf, out);
	fclose(out);
	for (char *x = first, *y = second; *(x = next_setting(x)); x++, y++)
		assert_memory_equal(x, y = next_setting(y), strcspn(x, "#\n"));
	free(first);
	free(second);
	talloc_free(f.ctx);
	talloc_free(g.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(names_lead_to_options),
		cmocka_unit_test(values_of_the_wrong_type_are_refused_by_name),
		cmocka_unit_test(numbers_take_leading_digits_everywhere),
		cmocka_unit_test(the_sample_has_every_option_and_loads),
		cmocka_unit_test(every_sample_line_is_good),
		cmocka_unit_test(the_shipped_sample_and_manual_are_current),
		cmocka_unit_test(the_manual_has_every_option),
		cmocka_unit_test(manual_and_sample_tell_what_the_table_says),
		cmocka_unit_test(comments_of_the_sample_fit_a_terminal),
		cmocka_unit_test(what_print_config_shows_loads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
