/* test_auth_xml.c - the login documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/auth_xml.h"

#define PROLOGUE "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static const struct auth_field login[] = {
	{ AUTH_FIELD_TEXT, "username", "Username:", NULL },
	{ AUTH_FIELD_PASSWORD, "password", "Password:", NULL },
};
static const struct auth_group groups[] = { { "staff", "Staff & co" }, { "guests", NULL } };

static int setup(void **state)
{
	struct buf *b = talloc(NULL, struct buf);

	buf_init(b, b, 1 << 16);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void a_form_is_written_whole(void **state)
{
	const struct auth_form form = {
		.id = "main",
		.message = "Please enter your username and password.",
		.action = "/auth",
		.fields = login,
		.n_fields = 2,
		.groups = groups,
		.n_groups = 2,
		.selected = "guests",
	};

	auth_form_build(*state, &form, false);
	assert_string_equal(
		buf_text(*state), PROLOGUE
		"<config-auth client=\"vpn\" type=\"auth-request\" aggregate-auth-version=\"2\">\n"
		"<version who=\"sg\">0.1(1)</version>\n<auth id=\"main\">\n<title>Login</title>\n"
		"<message>Please enter your username and password.</message>\n"
		"<form method=\"post\" action=\"/auth\">\n"
		"<input type=\"text\" name=\"username\" label=\"Username:\"/>\n"
		"<input type=\"password\" name=\"password\" label=\"Password:\"/>\n"
		"<select name=\"group_list\" label=\"GROUP:\">\n"
		"<option selected=\"true\" value=\"guests\">guests</option>\n"
		"<option value=\"staff\">Staff &amp; co</option>\n</select>\n</form>\n</auth>\n"
		"</config-auth>\n");
}

static void without_a_selection_no_group_may_come_first(void **state)
{
	struct auth_form form = { .id = "main", .groups = groups, .n_groups = 2 };
	const char *text;

	form.default_group = "none";
	auth_form_build(*state, &form, false);
	text = buf_text(*state);
	assert_non_null(
		strstr(text, "<option selected=\"true\" value=\"default-select-group\">none"));
	assert_true(strstr(text, "default-select") < strstr(text, "\"staff\""));
	buf_reset(*state);
	form.selected = "unknown";
	form.default_group = NULL;
	auth_form_build(*state, &form, false);
	assert_null(strstr(buf_text(*state), "selected"));
}

static void texts_are_escaped(void **state)
{
	const struct auth_form form = {
		.id = "\"><x>",
		.title = "<t>",
		.banner = "a&b",
		.message = "100% \"%s\" <script>",
		.error = "</error><form>",
		.action = "/auth?a=1&b=\"",
		.fields = login,
		.n_fields = 1,
	};

	auth_form_build(*state, &form, false);
	assert_null(strstr(buf_text(*state), "<script>"));
	assert_null(strstr(buf_text(*state), "<x>"));
	assert_non_null(strstr(buf_text(*state), "<banner>a&amp;b</banner>"));
	assert_non_null(strstr(buf_text(*state), "100% &quot;%s&quot; &lt;script&gt;"));
	assert_non_null(strstr(buf_text(*state), "param2=\"\">&lt;/error&gt;&lt;form&gt;</error>"));
	assert_non_null(strstr(buf_text(*state), "action=\"/auth?a=1&amp;b=&quot;\""));
}

static void old_clients_get_the_bare_document(void **state)
{
	const struct auth_form form = { .id = "main", .fields = login + 1, .n_fields = 1 };
	const struct auth_form both = { .id = "main", .fields = login, .n_fields = 2 };
	const struct auth_complete done = { .banner = "Hi", .profile_uri = "/p" };

	auth_form_build(*state, &form, true);
	assert_int_equal(strncmp(buf_text(*state), PROLOGUE "<auth id=\"passwd\">",
				 strlen(PROLOGUE "<auth id=\"passwd\">")),
			 0);
	assert_null(strstr(buf_text(*state), "config-auth"));
	buf_reset(*state);
	auth_form_build(*state, &both, true);
	assert_non_null(strstr(buf_text(*state), "<auth id=\"main\">"));
	buf_reset(*state);
	auth_complete_build(*state, &done, true);
	assert_string_equal(buf_text(*state),
			    PROLOGUE "<auth id=\"success\">\n<title>SSL VPN Service"
				     "</title>\n<banner>Hi</banner>\n</auth>\n");
}

static void nothing_to_fill_in_means_no_form(void **state)
{
	const struct auth_form form = { .id = "main", .error = "Certificate Validation Failure" };

	auth_form_build(*state, &form, false);
	assert_null(strstr(buf_text(*state), "<form"));
	assert_non_null(strstr(buf_text(*state), ">Certificate Validation Failure</error>"));
}

static void single_sign_on_names_its_pages(void **state)
{
	const struct auth_sso sso = {
		.login = "https://v/l?ctx=1&acsamlcap=v2",
		.login_final = "https://v/f",
		.token_cookie = "acSamlv2Token",
		.error_cookie = "acSamlv2Error",
		.external = true,
	};
	struct auth_form form = { .id = "main", .sso = &sso };

	auth_form_build(*state, &form, false);
	assert_non_null(strstr(buf_text(*state),
			       "<sso-v2-login>https://v/l?ctx=1&amp;acsamlcap=v2</sso-v2-login>"));
	assert_non_null(strstr(buf_text(*state), "<sso-v2-browser-mode>external<"));
	assert_non_null(strstr(buf_text(*state), "<input type=\"sso\" name=\"sso-token\"/>"));
	assert_null(strstr(buf_text(*state), "sso-v2-logout"));
}

static void completion_names_the_profile(void **state)
{
	const struct auth_complete done = {
		.banner = "Welcome.",
		.cert_sha1 = "AB",
		.profile_uri = "/profiles/p.xml",
		.profile_sha1 = "CD",
	};
	const struct auth_complete plain = { .banner = NULL };

	auth_complete_build(*state, &done, false);
	assert_non_null(strstr(buf_text(*state), "type=\"complete\""));
	assert_non_null(strstr(buf_text(*state), "<auth id=\"success\">"));
	assert_non_null(strstr(buf_text(*state), "<server-cert-hash>AB</server-cert-hash>"));
	assert_non_null(strstr(buf_text(*state), "<uri>/profiles/p.xml</uri>"));
	assert_non_null(strstr(buf_text(*state), "<hash type=\"sha1\">CD</hash>"));
	buf_reset(*state);
	auth_complete_build(*state, &plain, false);
	assert_null(strstr(buf_text(*state), "<config "));
	assert_null(strstr(buf_text(*state), "<banner>"));
}

static void certificates_can_be_asked_for(void **state)
{
	auth_cert_request_build(*state);
	assert_non_null(strstr(buf_text(*state), "<client-cert-request/>"));
	buf_reset(*state);
	auth_multicert_build(*state, "00ff");
	assert_non_null(strstr(buf_text(*state), "<random>00ff</random>"));
	assert_non_null(strstr(buf_text(*state), "<hash-algorithm>sha512</hash-algorithm>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_form_is_written_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_selection_no_group_may_come_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(texts_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(old_clients_get_the_bare_document, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_fill_in_means_no_form, setup, teardown),
		cmocka_unit_test_setup_teardown(single_sign_on_names_its_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(completion_names_the_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(certificates_can_be_asked_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
