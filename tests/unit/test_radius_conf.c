/* test_radius_conf.c - the client file and the secrets file of RADIUS libraries (radius.md 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/radius.h"

static enum err parse(TALLOC_CTX *ctx, const char *text, struct radius_conf *out)
{
	const char *why = NULL;
	enum err err = radius_conf_parse(ctx, text, strlen(text), out, &why);

	assert_true((err == ERR_OK) == (why == NULL));
	return err;
}

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void usual_file_is_read(void **state)
{
	struct radius_conf c;

	assert_int_equal(parse(*state,
			       "# comment\n"
			       "nas-identifier my-server\r\n"
			       "authserver \t radius.example.org  \n"
			       "acctserver 192.0.2.1:1646\n"
			       "servers /etc/radcli/servers\n"
			       "dictionary /etc/radcli/dictionary\n"
			       "default_realm\n"
			       "radius_timeout 7\n"
			       "radius_retries 0\n"
			       "radius_deadtime 60\n"
			       "bindaddr *",
			       &c),
			 ERR_OK);
	assert_int_equal(c.auth.n, 1);
	assert_string_equal(c.auth.item[0].host, "radius.example.org");
	assert_string_equal(c.auth.item[0].name, "radius.example.org:1812");
	assert_null(c.auth.item[0].secret);
	assert_int_equal(c.acct.item[0].port, 1646);
	assert_string_equal(c.nas_identifier, "my-server");
	assert_string_equal(c.secrets, "/etc/radcli/servers");
	assert_null(c.realm);
	assert_int_equal(c.timeout, 7);
	assert_int_equal(c.retries, 0);
	assert_int_equal(c.deadtime, 60);
	assert_int_equal(c.signing, RADIUS_SIGNING_AUTO);
	assert_int_equal(c.unknown.n, 0);
}

static void what_is_missing_has_the_library_s_defaults(void **state)
{
	struct radius_conf c;

	assert_int_equal(parse(*state, "", &c), ERR_OK);
	assert_int_equal(c.timeout, 10);
	assert_int_equal(c.retries, 3);
	assert_int_equal(c.deadtime, 0);
	assert_int_equal(c.transport, RADIUS_UDP);
	assert_int_equal(c.auth.n, 0);
}

static void servers_may_be_listed_repeated_and_carry_secrets(void **state)
{
	struct radius_conf c;

	assert_int_equal(parse(*state,
			       "authserver a:1,b:2:se:cret , [2001:db8::1]:3:x\n"
			       "authserver [2001:db8::2]\n",
			       &c),
			 ERR_OK);
	assert_int_equal(c.auth.n, 4);
	assert_string_equal(c.auth.item[1].secret, "se:cret");
	assert_string_equal(c.auth.item[2].host, "2001:db8::1");
	assert_string_equal(c.auth.item[2].name, "[2001:db8::1]:3");
	assert_int_equal(c.auth.item[3].port, 1812);
}

static void unknown_keywords_are_kept_for_a_remark_and_relics_are_not(void **state)
{
	struct radius_conf c;

	assert_int_equal(parse(*state, "foo bar\nseqfile /var/run/x\nlogin_local /bin/login\n", &c),
			 ERR_OK);
	assert_int_equal(c.unknown.n, 1);
	assert_string_equal(c.unknown.item[0], "foo");
}

static void faults_name_the_line(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "\nradius_timeout 0\n", "line 2: radius_timeout is '0'" },
		{ "radius_retries -1\n", "line 1: radius_retries is '-1'" },
		{ "authserver :1812\n", "line 1: a server is not HOST" },
		{ "authserver a:0\n", "line 1: a server is not HOST" },
		{ "authserver [::1\n", "line 1: a server is not HOST" },
		{ "authserver [::1]x\n", "line 1: a server is not HOST" },
		{ "acctserver a,b,c,d,e,f,g,h,i\n", "line 1: more than 8 servers" },
		{ "serv-type sctp\n", "line 1: serv-type is 'sctp'; use" },
		{ "require-message-authenticator maybe\n", "use yes, no or auto" },
		{ "authserver a\nserv-type tls\n", "TLS needs tls-ca-file" },
		{ "serv-type tls\ntls-ca-file a\ntls-cert-file b\n", "belong together" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct radius_conf c;
		const char *why = NULL;

		assert_int_equal(
			radius_conf_parse(*state, bad[i].text, strlen(bad[i].text), &c, &why),
			ERR_CONF);
		assert_non_null(why);
		if (!strstr(why, bad[i].why))
			fail_msg("'%s' is not in '%s'", bad[i].why, why);
	}
}

static void long_secrets_are_refused_and_not_cut(void **state)
{
	char text[200] = "authserver a:1:";
	struct radius_conf c;

	memset(text + strlen(text), 'x', RADIUS_SECRET_MAX);
	assert_int_equal(parse(*state, text, &c), ERR_OK);
	strcat(text, "x");
	assert_int_equal(parse(*state, text, &c), ERR_CONF);
}

static void tls_has_its_own_port_and_needs_a_proof(void **state)
{
	struct radius_conf c;

	assert_int_equal(parse(*state,
			       "authserver a\nserv-type tls\ntls-ca-file x\n"
			       "tls-verify-hostname false\n",
			       &c),
			 ERR_OK);
	assert_int_equal(c.auth.item[0].port, 2083);
	assert_true(c.any_name);
	assert_int_equal(parse(*state, "authserver a:1:psk@user@00ff\nserv-type dtls\n", &c),
			 ERR_OK);
	assert_false(c.any_name);
}

static void a_file_with_a_nul_is_no_text(void **state)
{
	struct radius_conf c;
	const char *why;

	assert_int_equal(radius_conf_parse(*state, "a\0b", 3, &c, &why), ERR_CONF);
}

static void secrets_have_one_host_or_two(void **state)
{
	static const char text[] = "# comment\n\nhost secret\nmine/theirs\tother secret is cut\n"
				   "noSecret\n  indented x\n";
	struct radius_secrets s;

	assert_int_equal(radius_secrets_parse(*state, text, strlen(text), &s), ERR_OK);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.item[0].host, "host");
	assert_string_equal(s.item[0].secret, "secret");
	assert_null(s.item[0].other);
	assert_string_equal(s.item[1].host, "mine");
	assert_string_equal(s.item[1].other, "theirs");
	assert_string_equal(s.item[1].secret, "other");
}

/* The auth line with a client file of TEXT in PATH. */
static enum err open_line(TALLOC_CTX *ctx, const char *text, const char **why)
{
	char path[] = "/tmp/radius-test.XXXXXX";
	struct backend_pair pair[] = { { "config", path },
				       { "nas-identifier", "nas" },
				       { "groupconfig", "true" },
				       { "group-separator", "comma" } };
	struct backend_pairs options = { pair, 4 };
	int fd = mkstemp(path);
	void *conf = NULL;
	enum err err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = backend_radius.open(ctx, &options, &conf, why);
	unlink(path);
	if (!err) {
		const struct radius *r = conf;

		assert_string_equal(r->nas_identifier, "nas");
		assert_true(r->groupconfig);
		assert_int_equal(r->separator, ',');
	}
	return err;
}

static void line_needs_a_sound_client_file(void **state)
{
	const char *why = NULL;

	assert_int_equal(open_line(*state, "authserver a:1:s\ndictionary /dev/null\n", &why),
			 ERR_OK);
	assert_int_equal(open_line(*state, "authserver a:1:s\n", &why), ERR_CONF);
	assert_non_null(strstr(why, "radius initialization error"));
	assert_int_equal(open_line(*state, "authserver a:1:s\ndictionary /none/x\n", &why),
			 ERR_CONF);
	assert_string_equal(why, "error reading the radius dictionary: /none/x: No such file or "
				 "directory");
	assert_int_equal(open_line(*state, "authserver a:1\ndictionary /dev/null\n", &why),
			 ERR_CONF);
	assert_non_null(strstr(why, "a server has no secret"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(usual_file_is_read),
		CASE(what_is_missing_has_the_library_s_defaults),
		CASE(servers_may_be_listed_repeated_and_carry_secrets),
		CASE(unknown_keywords_are_kept_for_a_remark_and_relics_are_not),
		CASE(faults_name_the_line),
		CASE(long_secrets_are_refused_and_not_cut),
		CASE(tls_has_its_own_port_and_needs_a_proof),
		CASE(a_file_with_a_nul_is_no_text),
		CASE(secrets_have_one_host_or_two),
		CASE(line_needs_a_sound_client_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
