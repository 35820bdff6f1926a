/* test_conf_table.c - the option table against config.md's index, the sample and the manual. */
#include <ctype.h>
#include <stdlib.h>

#include "tests/unit/conf_help.h"

/* config.md 19, without old and removed names: scope and reload class. */
static const struct {
	const char *name;
	char scope;  /* G, L (G~), V, U, P */
	char reload; /* S, R */
} spec[] = {
	{ "acct", 'V', 'S' },
	{ "append-routes", 'V', 'R' },
	{ "auth", 'V', 'S' },
	{ "auth-timeout", 'G', 'R' },
	{ "auto-select-group", 'V', 'R' },
	{ "ban-points-connection", 'G', 'R' },
	{ "ban-points-kkdcp", 'G', 'R' },
	{ "ban-points-wrong-password", 'G', 'R' },
	{ "ban-reset-time", 'G', 'R' },
	{ "ban-time", 'G', 'R' },
	{ "banner", 'V', 'R' },
	{ "ca-cert", 'V', 'S' },
	{ "camouflage", 'V', 'R' },
	{ "camouflage_realm", 'V', 'R' },
	{ "camouflage_secret", 'V', 'R' },
	{ "cert-group-oid", 'V', 'R' },
	{ "cert-user-oid", 'V', 'R' },
	{ "chroot-dir", 'G', 'S' },
	{ "cisco-client-compat", 'V', 'R' },
	{ "cisco-svc-client-compat", 'V', 'R' },
	{ "client-bypass-protocol", 'U', 'R' },
	{ "compression", 'V', 'R' },
	{ "compression-algo-priority", 'G', 'R' },
	{ "config-per-group", 'V', 'R' },
	{ "config-per-user", 'V', 'R' },
	{ "connect-script", 'G', 'R' },
	{ "cookie-timeout", 'V', 'R' },
	{ "crl", 'V', 'R' },
	{ "custom-header", 'V', 'R' },
	{ "debug-no-secmod-stats", 'L', 'S' },
	{ "default-domain", 'V', 'R' },
	{ "default-group-config", 'V', 'R' },
	{ "default-select-group", 'V', 'R' },
	{ "default-user-config", 'V', 'R' },
	{ "deny-roaming", 'U', 'R' },
	{ "device", 'G', 'R' },
	{ "dh-params", 'V', 'S' },
	{ "disconnect-script", 'G', 'R' },
	{ "dns", 'U', 'R' },
	{ "dpd", 'U', 'R' },
	{ "dtls-legacy", 'V', 'R' },
	{ "dtls-psk", 'G', 'R' },
	{ "enable-auth", 'V', 'S' },
	{ "explicit-ipv4", 'P', 'R' },
	{ "explicit-ipv6", 'P', 'R' },
	{ "expose-iroutes", 'V', 'R' },
	{ "host-update-script", 'G', 'R' },
	{ "hostname", 'P', 'R' },
	{ "idle-timeout", 'U', 'R' },
	{ "included-http-headers", 'V', 'R' },
	{ "ipv4-netmask", 'U', 'R' },
	{ "ipv4-network", 'U', 'R' },
	{ "ipv6-network", 'U', 'R' },
	{ "ipv6-prefix", 'V', 'R' },
	{ "ipv6-subnet-prefix", 'U', 'R' },
	{ "iroute", 'P', 'R' },
	{ "isolate-workers", 'G', 'R' },
	{ "keepalive", 'U', 'R' },
	{ "key-pin", 'V', 'S' },
	{ "kkdcp", 'V', 'R' },
	{ "limit-worker-memory", 'G', 'R' },
	{ "listen-host", 'G', 'S' },
	{ "listen-host-is-dyndns", 'V', 'R' },
	{ "listen-netns", 'L', 'S' },
	{ "listen-proxy-proto", 'G', 'R' },
	{ "log-level", 'L', 'S' },
	{ "match-tls-dtls-ciphers", 'V', 'R' },
	{ "max-ban-score", 'G', 'R' },
	{ "max-clients", 'G', 'R' },
	{ "max-same-clients", 'U', 'R' },
	{ "mobile-dpd", 'U', 'R' },
	{ "mobile-idle-timeout", 'U', 'R' },
	{ "mtu", 'U', 'R' },
	{ "nbns", 'U', 'R' },
	{ "net-priority", 'U', 'R' },
	{ "no-compress-limit", 'V', 'R' },
	{ "no-route", 'U', 'R' },
	{ "no-udp", 'U', 'R' },
	{ "occtl-socket-file", 'G', 'S' },
	{ "ocsp-response", 'V', 'R' },
	{ "output-buffer", 'V', 'R' },
	{ "persistent-cookies", 'V', 'R' },
	{ "pid-file", 'L', 'S' },
	{ "pin-file", 'V', 'S' },
	{ "ping-leases", 'G', 'R' },
	{ "pre-login-banner", 'V', 'R' },
	{ "predictable-ips", 'V', 'R' },
	{ "proxy-url", 'V', 'R' },
	{ "rate-limit-ms", 'G', 'R' },
	{ "rekey-method", 'V', 'R' },
	{ "rekey-time", 'V', 'R' },
	{ "restrict-user-to-ports", 'U', 'R' },
	{ "restrict-user-to-routes", 'U', 'R' },
	{ "route", 'U', 'R' },
	{ "route-add-cmd", 'G', 'R' },
	{ "route-del-cmd", 'G', 'R' },
	{ "run-as-group", 'G', 'S' },
	{ "run-as-user", 'G', 'S' },
	{ "rx-data-per-sec", 'U', 'R' },
	{ "sec-mod-db-cleanup-time", 'G', 'R' },
	{ "sec-mod-scale", 'G', 'S' },
	{ "select-group", 'V', 'R' },
	{ "select-group-by-url", 'V', 'R' },
	{ "server-cert", 'V', 'S' },
	{ "server-drain-ms", 'G', 'R' },
	{ "server-key", 'V', 'S' },
	{ "server-stats-reset-time", 'G', 'S' },
	{ "session-timeout", 'U', 'R' },
	{ "socket-file", 'G', 'S' },
	{ "split-dns", 'U', 'R' },
	{ "srk-pin", 'V', 'S' },
	{ "srk-pin-file", 'V', 'S' },
	{ "stats-report-time", 'U', 'R' },
	{ "switch-to-tcp-timeout", 'V', 'R' },
	{ "syslog-facility", 'L', 'S' },
	{ "tcp-port", 'G', 'S' },
	{ "tls-priorities", 'V', 'R' },
	{ "try-mtu-discovery", 'G', 'R' },
	{ "tunnel-all-dns", 'U', 'R' },
	{ "tx-data-per-sec", 'U', 'R' },
	{ "udp-listen-host", 'G', 'S' },
	{ "udp-port", 'G', 'S' },
	{ "use-occtl", 'G', 'R' },
	{ "use-utmp", 'G', 'R' },
	{ "user-profile", 'U', 'R' },
	/* Not in the index: ours. */
	{ "ban-exempt", 'G', 'R' },
	{ "ban-points-abuse", 'G', 'R' },
	{ "ban-points-wrong-cookie", 'G', 'R' },
	{ "listen-proxy-from", 'G', 'R' },
	{ "multiple-cert-auth", 'V', 'R' },
};

enum { N_SPEC = sizeof(spec) / sizeof(spec[0]) };

static char scope_letter(enum conf_scope scope)
{
	return "GLVUP"[scope];
}

static void the_table_is_the_specifications_index(void **state)
{
	(void)state;
	assert_int_equal(N_SPEC, CONF_OPT_COUNT);
	for (size_t i = 0; i < N_SPEC; i++) {
		const struct conf_option *o = conf_option_find(spec[i].name);

		if (!o)
			print_message("missing: %s\n", spec[i].name);
		assert_non_null(o);
		assert_int_equal(scope_letter(o->scope), spec[i].scope);
		assert_int_equal(o->flags & CONF_RELOAD ? 'R' : 'S', spec[i].reload);
	}
}

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

static void old_names_are_not_options(void **state)
{
	static const char *const names[] = { "ipv4-dns",	"ipv6-dns",
					     "ipv4-nbns",	"ipv6-nbns",
					     "min-reauth-time", "use-seccomp",
					     "use-dbus",	"always-require-cert",
					     "session-control", "listen-clear-file" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_null(conf_option_find(names[i]));
		assert_non_null(conf_alias_find(names[i]));
	}
	assert_ptr_equal(conf_option_of("ipv6-dns"), conf_option_find("dns"));
	assert_null(conf_option_of("session-control"));
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
		cmocka_unit_test(the_table_is_the_specifications_index),
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(old_names_are_not_options),
		cmocka_unit_test(values_of_the_wrong_type_are_refused_by_name),
		cmocka_unit_test(numbers_take_leading_digits_everywhere),
		cmocka_unit_test(the_sample_has_every_option_and_loads),
		cmocka_unit_test(every_sample_line_is_good),
		cmocka_unit_test(the_shipped_sample_and_manual_are_current),
		cmocka_unit_test(the_manual_has_every_option),
		cmocka_unit_test(what_print_config_shows_loads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
