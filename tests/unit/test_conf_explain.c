/* test_conf_explain.c - where values come from: of hosts (--print-config) and of one user's
 * session. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/explain.h"
#include "conf/origin.h"
#include "tests/unit/conf_help.h"

/* "FILE:LINE", "RULE: FILE:LINE", "default". */
static char *text_of(TALLOC_CTX *ctx, struct conf_origin o)
{
	return talloc_asprintf(ctx, "%s%s%s", o.rule ? o.rule : "", o.rule ? ": " : "",
			       o.row ? talloc_asprintf(ctx, "%s:%u", o.row->file, o.row->line)
				     : "default");
}

enum { SOME = 8 }; /* elements that are asked for */

/* The lines after CONF_MINIMAL begin with number 8. */
static void every_value_of_a_host_knows_its_line(void **state)
{
	static const struct {
		const char *text; /* after the minimal file */
		unsigned host;
		const char *option;
		size_t index;
		const char *want;
	} rows[] = {
		{ "", 0, "dpd", 0, "default" },
		{ "", 0, "tcp-port", 0, "t.conf:2" },
		{ "dpd = 3\ndpd = 4\n", 0, "dpd", 0, "t.conf:9" },
		{ "dns = 1.1.1.1\nbanner = x\n  \nipv4-dns = 2.2.2.2\n", 0, "dns", 1, "t.conf:11" },
		{ "dns = 1.1.1.1\n 3.3.3.3\n", 0, "dns", 1, "t.conf:9" },
		{ "restrict-user-to-ports = tcp(1), udp(2)\nrestrict-user-to-ports = icmp()\n", 0,
		  "restrict-user-to-ports", 1, "t.conf:8" },
		{ "restrict-user-to-ports = tcp(1), udp(2)\nrestrict-user-to-ports = icmp()\n", 0,
		  "restrict-user-to-ports", 2, "t.conf:9" },
		{ "mobile-dpd = 0\ndpd = 5\n", 0, "mobile-dpd", 0, "follows dpd: t.conf:9" },
		{ "mobile-dpd = 0\n", 0, "mobile-dpd", 0, "follows dpd: default" },
		{ "idle-timeout = 5\n", 0, "mobile-idle-timeout", 0,
		  "follows idle-timeout: t.conf:8" },
		{ "mobile-idle-timeout = 5\n", 0, "mobile-idle-timeout", 0, "t.conf:8" },
		{ "no-compress-limit = 5\n", 0, "no-compress-limit", 0, "raised to 64: t.conf:8" },
		{ "listen-host = 192.0.2.1\n", 0, "udp-listen-host", 0,
		  "follows listen-host: t.conf:8" },
		{ "cisco-client-compat = true\n", 0, "select-group-by-url", 0,
		  "implied by cisco-client-compat: t.conf:8" },
		{ "cisco-client-compat = true\n", 0, "dtls-legacy", 0, "default" },
		{ "dtls-legacy = no\ncisco-client-compat = true\n", 0, "dtls-legacy", 0,
		  "implied by cisco-client-compat: t.conf:9" },
		{ "dtls-legacy = no\ncisco-svc-client-compat = yes\n", 0, "dtls-legacy", 0,
		  "implied by cisco-svc-client-compat: t.conf:9" },
		{ "cisco-client-compat = true\n", 0, "tls-priorities", 0,
		  "without TLS 1.3 for cisco-client-compat: t.conf:8" },
		{ "always-require-cert = false\n", 0, "cisco-client-compat", 0, "t.conf:8" },
		{ "dns = 1.1.1.1\n[vhost:a]\ndns = 2.2.2.2\n", 1, "dns", 0, "t.conf:8" },
		{ "dns = 1.1.1.1\n[vhost:a]\ndns = 2.2.2.2\n", 1, "dns", 1, "t.conf:10" },
		{ "[vhost:a]\nserver-cert = /b\nserver-key = /b\n", 1, "server-cert", 0,
		  "t.conf:9" },
		{ "[vhost:a]\ndpd = 3\n", 1, "server-cert", 0, "t.conf:4" },
		{ "[vhost:a]\ndpd = 3\n", 1, "keepalive", 0, "default" },
		{ "[vhost:a]\ndpd = 3\n", 1, "ipv4-network", 0, "t.conf:7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		const struct conf_option *opt = conf_option_find(rows[i].option);
		struct conf_origin why[SOME];
		char *got;

		assert_int_equal(fixture_load_more(&f, rows[i].text), ERR_OK);
		conf_origins_of(f.conf, f.conf->host[rows[i].host], opt, why, rows[i].index + 1);
		got = text_of(f.ctx, why[rows[i].index]);
		if (strcmp(got, rows[i].want) != 0)
			print_message("%s: %s\n", rows[i].text, rows[i].option);
		assert_string_equal(got, rows[i].want);
		talloc_free(f.ctx);
	}
}

static void every_value_of_a_session_knows_its_line(void **state)
{
	static const struct {
		const char *host, *user;
		const char *option;
		size_t index;
		const char *want;
	} rows[] = {
		{ "dpd = 3\n", "", "dpd", 0, "t.conf:8" },
		{ "dpd = 3\n", "dpd = 4\n", "dpd", 0, "u:1" },
		{ "mobile-dpd = 0\n", "dpd = 4\n", "mobile-dpd", 0, "follows dpd: u:1" },
		{ "dpd = 9\n", "mobile-dpd = 0\n", "mobile-dpd", 0, "follows dpd: t.conf:8" },
		{ "", "mobile-dpd = 7\n", "mobile-dpd", 0, "u:1" },
		{ "idle-timeout = 3\n", "", "mobile-idle-timeout", 0,
		  "follows idle-timeout: t.conf:8" },
		{ "idle-timeout = 3\n", "mtu = 1\nidle-timeout = 4\n", "mobile-idle-timeout", 0,
		  "follows idle-timeout: u:2" },
		{ "dns = 1.1.1.1\n", "dns = 2.2.2.2\nipv6-dns = fd00::1\n", "dns", 1, "u:2" },
		{ "route = 10.0.0.0/8\nappend-routes = true\n", "route = 10.1.0.0/16\n", "route", 0,
		  "u:1" },
		{ "route = 10.0.0.0/8\nappend-routes = true\n", "route = 10.1.0.0/16\n", "route", 1,
		  "added by append-routes: t.conf:8" },
		{ "", "ipv4-network = 10.9.0.0/24\n", "ipv4-network", 0, "u:1" },
		{ "", "ipv4-network = 10.9.0.0/24\n", "ipv4-netmask", 0,
		  "follows ipv4-network: u:1" },
		{ "", "ipv4-network = 10.9.0.0\nipv4-netmask = 255.255.0.0\n", "ipv4-netmask", 0,
		  "u:2" },
		{ "", "ipv4-network = 10.9.0.0\n", "ipv4-network", 0, "t.conf:7" },
		{ "", "", "tunnel-all-dns", 0, "follows from the default route: default" },
		{ "", "route = default\n", "tunnel-all-dns", 0,
		  "follows from the default route: u:1" },
		{ "tunnel-all-dns = true\n", "", "tunnel-all-dns", 0, "t.conf:8" },
		{ "route = 10.0.0.0/8\n", "", "tunnel-all-dns", 0, "default" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		const struct conf_option *opt = conf_option_find(rows[i].option);
		struct conf_origin why[SOME];
		struct conf_rows user = { 0 };
		struct session_conf *s;
		char *got;

		assert_int_equal(fixture_load_more(&f, rows[i].host), ERR_OK);
		assert_int_equal(conf_user_parse(f.ctx, "u", rows[i].user, strlen(rows[i].user),
						 f.report, &user),
				 ERR_OK);
		assert_int_equal(conf_session_new(f.ctx, f.conf->host[0], &user, f.report, &s),
				 ERR_OK);
		conf_session_origins(f.conf, s, opt, why, rows[i].index + 1);
		got = text_of(f.ctx, why[rows[i].index]);
		if (strcmp(got, rows[i].want) != 0)
			print_message("%s%s: %s\n", rows[i].host, rows[i].user, rows[i].option);
		assert_string_equal(got, rows[i].want);
		talloc_free(f.ctx);
	}
}

static void a_default_route_names_its_cause(void **state)
{
	static const char *const rows[][3] = {
		{ "", "", "no route is set, so everything goes through the tunnel: default" },
		{ "route = 10.0.0.0/8\nroute = default\n", "", "t.conf:9" },
		{ "route = 0.0.0.0/0\n", "dpd = 1\n", "t.conf:8" },
		{ "route = default\n", "dpd = 1\nroute = 10.0.0.0/8\nroute = default\n", "u:3" },
		{ "route = default\nappend-routes = true\n", "route = 10.0.0.0/8\n", "t.conf:8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		struct conf_rows user = { 0 };
		struct session_conf *s;

		assert_int_equal(fixture_load_more(&f, rows[i][0]), ERR_OK);
		assert_int_equal(conf_user_parse(f.ctx, "u", rows[i][1], strlen(rows[i][1]),
						 f.report, &user),
				 ERR_OK);
		assert_int_equal(conf_session_new(f.ctx, f.conf->host[0], &user, f.report, &s),
				 ERR_OK);
		assert_true(s->default_route);
		assert_string_equal(text_of(f.ctx, conf_default_route_origin(f.conf, s)),
				    rows[i][2]);
		talloc_free(f.ctx);
	}
}

/* What an old name stands for, not what stands behind it. */
static void old_names_are_shown_as_what_they_set(void **state)
{
	struct fixture f = fixture_new();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\nalways-require-cert = false\n"
					       "[vhost:b]\nalways-require-cert = true\n"),
			 ERR_OK);
	conf_show(f.conf, out);
	fclose(out);
	assert_non_null(strstr(text, "[vhost:a]\ncisco-client-compat = true "));
	assert_null(strstr(strstr(text, "[vhost:b]"), "cisco-client-compat"));
	free(text);
	talloc_free(f.ctx);
}

static void put(const char *dir, const char *name, const char *text)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	FILE *out = fopen(talloc_asprintf(tmp, "%s/%s", dir, name), "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	talloc_free(tmp);
}

/* The explanation of USER where the password file is PASSWD. */
static struct conf_explained *explain_with(struct fixture *f, const char *passwd, const char *user)
{
	char *dir = talloc_strdup(f->ctx, "/tmp/test_conf_explain.XXXXXX"), *file;
	const struct conf_question q = { .user = user };
	struct conf_explained *e = NULL;

	assert_non_null(mkdtemp(dir));
	put(dir, "passwd", passwd);
	file = talloc_asprintf(f->ctx,
			       "tcp-port = 443\nsocket-file = /s\nserver-cert = /c\n"
			       "server-key = /k\ndevice = vpns\nipv4-network = 10.0.0.0/24\n"
			       "key-pin = hush\nauth = plain[passwd=%s/passwd]\n",
			       dir);
	assert_int_equal(fixture_load(f, file), ERR_OK);
	assert_int_equal(conf_explain(f->ctx, f->conf, &q, &e), ERR_OK);
	assert_int_equal(unlink(talloc_asprintf(f->ctx, "%s/passwd", dir)), 0);
	assert_int_equal(rmdir(dir), 0);
	return e;
}

/* config.md 11: the first group of the list, if its name is one. */
static void the_group_is_the_first_of_the_password_file(void **state)
{
	static const char *const rows[][3] = {
		{ "ann:staff,guests:h\n", "ann", "staff" },
		{ "x:y:z\nann: * , staff :h\n", "ann", "staff" },
		{ "ann:*:h\n", "ann", "" },
		{ "ann::h\n", "ann", "" },
		{ "annette:staff:h\n", "ann", "" },
		{ "ann:one:h\nann:two:h\n", "ann", "one" },
		{ "bob:staff:ann:guests\n", "ann", "" },
		{ "ann:last", "ann", "last" },
		{ "ann:*\r\nbob:staff:h\n", "ann", "" },
		{ "", "ann", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		struct conf_explained *e = explain_with(&f, rows[i][0], rows[i][1]);

		assert_string_equal(e->group, rows[i][2]);
		assert_int_equal(e->note.n, 1);
		assert_false(e->refused);
		talloc_free(f.ctx);
	}
}

static void nothing_secret_is_explained(void **state)
{
	struct fixture f = fixture_new();
	struct conf_explained *e = explain_with(&f, "ann:staff:hush\n", "ann");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	conf_explain_print(e, out);
	fclose(out);
	assert_null(strstr(text, "hush"));
	assert_non_null(strstr(text, "\ndpd = 90 "));
	free(text);
	talloc_free(f.ctx);
}

/* Main must not be held up by what somebody put into a file. */
static void long_lists_are_cut(void **state)
{
	struct fixture f = fixture_new();
	const struct conf_question q = { .user = "ann", .group = "" };
	char *text = talloc_strdup(f.ctx, CONF_MINIMAL);
	struct conf_explained *e;
	size_t routes = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		text = talloc_asprintf_append(text, "route = 10.%u.%u.0/24\n", i / 250, i % 250);
	assert_int_equal(fixture_load(&f, text), ERR_OK);
	assert_int_equal(conf_explain(f.ctx, f.conf, &q, &e), ERR_OK);
	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->setting[i].option, "route") != 0)
			continue;
		assert_int_equal(e->setting[i].line, 8 + routes);
		routes++;
	}
	assert_int_equal(routes, 1024);
	assert_string_equal(e->note.item[0], "route: the first 1024 of 5000 are shown");
	talloc_free(f.ctx);
}

static void an_unknown_host_is_not_found(void **state)
{
	struct fixture f = fixture_new();
	const struct conf_question q = { .user = "ann", .group = "g", .vhost = "b" };
	const struct conf_question known = { .user = "ann", .group = "g", .vhost = "A" };
	const struct conf_question first = { .user = "ann", .group = "g", .vhost = "default" };
	struct conf_explained *e;

	(void)state;
	assert_int_equal(fixture_load_more(&f, "[vhost:a]\ndpd = 3\n"), ERR_OK);
	assert_int_equal(conf_explain(f.ctx, f.conf, &q, &e), ERR_NOT_FOUND);
	assert_int_equal(conf_explain(f.ctx, f.conf, &known, &e), ERR_OK);
	assert_string_equal(e->vhost, "a");
	assert_int_equal(conf_explain(f.ctx, f.conf, &first, &e), ERR_OK);
	assert_string_equal(e->vhost, "default");
	talloc_free(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_of_a_host_knows_its_line),
		cmocka_unit_test(every_value_of_a_session_knows_its_line),
		cmocka_unit_test(a_default_route_names_its_cause),
		cmocka_unit_test(old_names_are_shown_as_what_they_set),
		cmocka_unit_test(the_group_is_the_first_of_the_password_file),
		cmocka_unit_test(nothing_secret_is_explained),
		cmocka_unit_test(long_lists_are_cut),
		cmocka_unit_test(an_unknown_host_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
