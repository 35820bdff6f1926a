/* test_conf_values.c - routes, ports and authentication lines. */
#include <stdlib.h>

#include "tests/unit/conf_help.h"

/* compat-checklist 111; config.md 13.1. */
static void routes_are_stored_as_clients_want_them(void **state)
{
	static const char *const rows[][2] = {
		{ "default", "default" },
		{ "10.0.0.0/24", "10.0.0.0/255.255.255.0" },
		{ "10.0.0.1/8", "10.0.0.1/255.0.0.0" },
		{ "10.0.0.0/255.255.255.0", "10.0.0.0/255.255.255.0" },
		{ "0.0.0.0/0", "0.0.0.0/0.0.0.0" },
		{ "10.1.2.3/32", "10.1.2.3/255.255.255.255" },
		{ "2001:DB8::/32", "2001:DB8::/32" },
		{ "::/0", "::/0" },
		{ "2001:db8::1/128", "2001:db8::1/128" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct conf_route r;

		assert_int_equal(conf_route_parse(ctx, rows[i][0], &r, NULL), ERR_OK);
		assert_string_equal(r.text, rows[i][1]);
		assert_int_equal(r.is_default, i == 0);
		talloc_free(ctx);
	}
}

static void anything_else_is_no_route(void **state)
{
	static const char *const bad[] = {
		"",
		"Default",
		"DEFAULT",
		"default/24",
		"default ",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/24 ",
		"10.0.0.0/24; x",
		"10.0.0.0/24\n",
		"10.0.0.0/a",
		"10.0.0/24",
		"10.0.0.0/255.0.255.0",
		"10.0.0.0/255.255.255.0.0",
		"2001:db8::",
		"2001:db8::/129",
		"2001:db8::/255.255.255.0",
		"2001:db8::/",
		"host.example/24",
		"$(reboot)/24",
		"10.0.0.0/24/8",
		"10.0.0.0/0x8",
		"[::]/0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		const char *why = NULL;
		struct conf_route r;

		assert_int_equal(conf_route_parse(ctx, bad[i], &r, &why), ERR_SYNTAX);
		assert_non_null(strstr(why, talloc_asprintf(ctx, "route '%s'", bad[i])));
		talloc_free(ctx);
	}
}

/* compat-checklist 205. */
static void all_prefixes_survive_a_route(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 128; n++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct conf_route a, b;

		assert_int_equal(
			conf_route_parse(ctx, talloc_asprintf(ctx, "fd00::/%u", n), &a, NULL),
			ERR_OK);
		assert_int_equal(a.net.prefix, n);
		if (n <= 32) {
			assert_int_equal(conf_route_parse(ctx,
							  talloc_asprintf(ctx, "10.0.0.0/%u", n),
							  &a, NULL),
					 ERR_OK);
			assert_int_equal(conf_route_parse(ctx, a.text, &b, NULL), ERR_OK);
			assert_int_equal(b.net.prefix, n);
		}
		talloc_free(ctx);
	}
}

static char *ports_text(TALLOC_CTX *ctx, const char *text)
{
	struct conf_ports ports;
	struct buf b;

	if (conf_ports_parse(ctx, text, &ports, NULL))
		return talloc_strdup(ctx, "ERROR");
	buf_init(&b, ctx, 4096);
	conf_ports_print(&ports, &b);
	return talloc_strdup(ctx, buf_text(&b));
}

/* compat-checklist 204; config.md 14.2. */
static void port_lists_are_read_with_any_spacing(void **state)
{
	static const char *const rows[][2] = {
		{ "tcp(443), icmp()", "tcp(443), icmp()" },
		{ "TCP(443),Udp(53),SCTP(9),ICMP(),IcmpV6(),ESP()",
		  "tcp(443), udp(53), sctp(9), icmp(), icmpv6(), esp()" },
		{ "  tcp  (  443  )  ,\tudp(53) ", "tcp(443), udp(53)" },
		{ "!(tcp(80))", "!tcp(80)" },
		{ " ! ( tcp(80) , icmp( ) ) ", "!tcp(80), !icmp()" },
		{ "tcp(99999)", "tcp(99999)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);

		assert_string_equal(ports_text(ctx, rows[i][0]), rows[i][1]);
		talloc_free(ctx);
	}
}

static void broken_port_lists_say_where(void **state)
{
	static const char *const rows[][2] = {
		{ "tcp(443),", "unknown protocol on restrict-user-to-ports at 9 ''" },
		{ "foo(1)", "unknown protocol on restrict-user-to-ports at 0 'foo(1)'" },
		{ "icmpx()", "unknown protocol on restrict-user-to-ports at 0" },
		{ "tcp(443", "expected closing parenthesis on restrict-user-to-ports at 7 ''" },
		{ "!(tcp(443)", "expected closing parenthesis on restrict-user-to-ports at 10 ''" },
		{ "icmp(1)", "expected closing parenthesis on restrict-user-to-ports at 5 '1)'" },
		{ "!tcp(443)", "expected opening parenthesis" },
		{ "tcp()", "expected a port number" },
		{ "tcp(-1)", "expected a port number" },
		{ "tcp 443", "expected opening parenthesis" },
		{ "tcp(1) udp(2)", "unexpected text" },
		{ "", "unknown protocol" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct conf_ports ports;
		const char *why = NULL;

		assert_int_equal(conf_ports_parse(ctx, rows[i][0], &ports, &why), ERR_SYNTAX);
		if (!strstr(why, rows[i][1]))
			print_message("%s\n", why);
		assert_non_null(strstr(why, rows[i][1]));
		talloc_free(ctx);
	}
}

/* The first method of `auth = VALUE`, in a configuration that may be refused otherwise. */
static const struct conf_auth *auth_of(struct fixture *f, const char *value)
{
	struct conf_rows rows = { 0 };
	struct conf_row row = { .option = "auth", .value = value, .file = "t.conf", .line = 1 };

	assert_int_equal(conf_rows_add(f->ctx, &rows, &row), ERR_OK);
	assert_int_equal(conf_from_rows(f->ctx, &rows, CONF_SHARE, f->report, &f->conf), ERR_OK);
	assert_int_equal(f->conf->host[0]->auth.n, 1);
	return &f->conf->host[0]->auth.item[0];
}

static void sub_options_are_read_in_every_form(void **state)
{
	static const char *const rows[][3] = {
		{ "plain[passwd=/a]", "passwd", "/a" },
		{ "Plain[ PASSWD = /a , otp = /b ]", "otp", "/b" },
		{ "plain[/a]", "passwd", "/a" },
		{ "plain[./a]", "passwd", "./a" },
		{ "plain[/a,otp=/b]", "otp", "/b" },
		{ "pam", "service", "ocserv" },
		{ "pam", "gid-min", "0" },
		{ "pam[service=x,gid-min=5]", "service", "x" },
		{ "radius[/r,groupconfig]", "groupconfig", "true" },
		{ "radius[/r]", "config", "/r" },
		{ "radius[config=/r,nas-identifier=n]", "nas-identifier", "n" },
		{ "radius[config=/r]", "group-separator", "semicolon" },
		{ "gssapi", "require-local-user-map", "true" },
		{ "gssapi[keytab=/k,tgt-freshness-time=9]", "tgt-freshness-time", "9" },
		{ "oidc[config=/o]", "config", "/o" },
		{ "ldap[config=/l]", "config", "/l" },
		{ "ldap[uri=ldaps://a ldaps://b,base='dc=a,dc=b']", "uri", "ldaps://a ldaps://b" },
		{ "ldap[uri=ldaps://a, base = 'dc=a,dc=b' ,scope=one]", "base", "dc=a,dc=b" },
		{ "ldap[uri=ldaps://a,base='ou=it''s,dc=[x]']", "base", "ou=it's,dc=[x]" },
		{ "ldap[uri=ldaps://a,filter=(&(uid=%u)(a=b))]", "filter", "(&(uid=%u)(a=b))" },
		{ "ldap[uri=ldaps://a,base='']", "base", "" },
		{ "ldap[base='''',uri=u]", "base", "'" },
		{ "ldap[base=a'b,uri=u]", "base", "a'b" },
		{ "ldap[uri=u,scope=a,ca=b,filter=c,binddn=d,user-dn=e,user-attr=f]", "ca", "b" },
		{ "plain[passwd='/a,b']", "passwd", "/a,b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();
		const struct conf_auth *a = auth_of(&f, rows[i][0]);

		assert_string_equal(conf_auth_get(a, rows[i][1]), rows[i][2]);
		talloc_free(f.ctx);
	}
}

static void bad_authentication_lines_are_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "enable-auth = kerberos\n", "vhost:default: unknown or unsupported auth method: "
					      "kerberos" },
		{ "enable-auth = plain\n", "plain: no password or OTP file specified" },
		{ "enable-auth = plain[]\n", "error parsing []" },
		{ "enable-auth = plain[passwd=/x\n", "error parsing [passwd=/x" },
		{ "enable-auth = plain[passwd]\n", "error parsing [passwd]" },
		{ "enable-auth = plain[foo=1]\n", "unknown option 'foo'" },
		{ "enable-auth = radius[groupconfig=true]\n",
		  "No radius configuration specified: " },
		{ "enable-auth = \"radius[config=/x,group-separator=x]\"\n",
		  "unknown group-separator value 'x'; use 'semicolon' or 'comma'" },
		{ "enable-auth = pam[gid-min=-3]\n", "error in gid-min value: -3" },
		{ "enable-auth = gssapi[tgt-freshness-time=0]\n",
		  "Invalid value for 'tgt-freshness-time': 0" },
		{ "enable-auth = \"pam[service=a,service=b,service=c,service=d,service=e,service=f]"
		  "\"\n",
		  "error parsing [" },
		{ "enable-auth = ldap\n", "ldap: no server specified; write ldap[config=FILE]" },
		{ "enable-auth = ldap[base=x]\n", "ldap: no server specified" },
		{ "enable-auth = \"ldap[uri=u,base=dc=a,dc=b]\"\n",
		  "unknown option 'dc' of authentication method ldap; put a value with commas in "
		  "single quotes" },
		{ "enable-auth = \"ldap[uri=u,base='dc=a,dc=b]\"\n",
		  "end the value of 'base' with a single quote" },
		{ "enable-auth = \"ldap[uri=u,base='a'b,scope=one]\"\n",
		  "end the value of 'base' with a single quote" },
		{ "enable-auth = \"ldap[uri=u,base='a','b']\"\n", "error parsing [" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuses(rows[i][0], rows[i][1]);
}

/* compat-checklist 5, 6, 7; config.md 6.1. */
static void methods_that_do_not_mix_are_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "auth = pam\n",
		  "vhost:default: you cannot mix multiple authentication methods of "
		  "pam type" },
		{ "auth = radius[config=/x]\n",
		  "vhost:default: you cannot mix multiple authentication methods of radius type" },
		{ "auth = plain[passwd=/p,otp=/o]\n",
		  "vhost:default: you cannot mix multiple authentication methods of plain type" },
		{ "auth = plain[otp=/o]\nauth = plain[otp=/o]\n",
		  "vhost:default: you cannot mix multiple authentication methods of plain type" },
		{ "auth = plain[otp=/o]\nauth = gssapi\n",
		  "vhost:default: you cannot mix multiple authentication methods of gssapi type" },
		{ "auth = plain[otp=/o]\nenable-auth = pam\n",
		  "vhost:default: you cannot mix multiple password authentication methods" },
		{ "enable-auth = pam\n",
		  "vhost:default: you cannot mix multiple password authentication methods" },
		{ "enable-auth = radius[config=/x]\n",
		  "vhost:default: you cannot mix multiple password authentication methods" },
		{ "enable-auth = ldap[config=/x]\n",
		  "vhost:default: you cannot mix multiple password authentication methods" },
		{ "enable-auth = certificate\n",
		  "a certificate is requested by the option 'cert-user-oid' is not set" },
		{ "enable-auth = certificate\ncert-user-oid = UID\n",
		  "the option 'cert-user-oid' has a unsupported value" },
		{ "enable-auth = certificate\nenable-auth = gssapi\nenable-auth = oidc[config=/x]\n"
		  "enable-auth = gssapi\n",
		  "you cannot enable more than 4 authentication methods" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuses(rows[i][0], rows[i][1]);
}

static void codes_go_with_every_other_method(void **state)
{
	static const char *const rows[][2] = {
		{ "auth = plain[otp=/o]\n", "'plain+plain' as primary" },
		{ "[vhost:v]\nauth = plain[otp=/o]\nauth = pam\n", "'plain+pam' as primary" },
		{ "[vhost:v]\nauth = oidc[config=/x]\nauth = plain[otp=/o]\nenable-auth = pam\n",
		  "'oidc+plain' as primary" },
		{ "[vhost:v]\nauth = ldap[config=/x]\nauth = plain[otp=/o]\nenable-auth = gssapi\n",
		  "'ldap+plain' as primary" },
		{ "[vhost:v]\nauth = certificate\nauth = radius[config=/x]\nauth = certificate\n"
		  "auth = plain[otp=/o]\ncert-user-oid = 2.5.4.3\n",
		  "'certificate+radius+plain' as primary" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f = fixture_new();

		assert_int_equal(fixture_load_more(&f, rows[i][0]), ERR_OK);
		assert_true(fixture_said(&f, rows[i][1]));
		talloc_free(f.ctx);
	}
}

static void groupconfig_excludes_files(void **state)
{
	(void)state;
	refuses("[vhost:r]\nauth = \"radius[config=/x,groupconfig=true]\"\n"
		"config-per-user = /users\n",
		"specified config-per-user or config-per-group but supplemental config is 'radius'");
}

/* config.md 3.2: the source of a user's settings goes with the method that is inherited. */
static void groupconfig_is_inherited_with_its_method(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(fixture_load(&f, "tcp-port = 443\nsocket-file = /s\nserver-cert = /c\n"
					  "server-key = /k\ndevice = v\n"
					  "ipv4-network = 10.0.0.0/24\n"
					  "auth = radius[config=/x,groupconfig=true]\n"
					  "[vhost:a]\ndpd = 3\n[vhost:b]\nauth = plain[/p]\n"),
			 ERR_OK);
	assert_true(f.conf->host[0]->radius_groupconfig);
	assert_true(f.conf->host[1]->radius_groupconfig);
	assert_false(f.conf->host[2]->radius_groupconfig);
	talloc_free(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_stored_as_clients_want_them),
		cmocka_unit_test(anything_else_is_no_route),
		cmocka_unit_test(all_prefixes_survive_a_route),
		cmocka_unit_test(port_lists_are_read_with_any_spacing),
		cmocka_unit_test(broken_port_lists_say_where),
		cmocka_unit_test(sub_options_are_read_in_every_form),
		cmocka_unit_test(bad_authentication_lines_are_refused),
		cmocka_unit_test(methods_that_do_not_mix_are_refused),
		cmocka_unit_test(codes_go_with_every_other_method),
		cmocka_unit_test(groupconfig_excludes_files),
		cmocka_unit_test(groupconfig_is_inherited_with_its_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
