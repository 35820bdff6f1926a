/* test_auth_input.c - login steps as clients send them, and as attackers do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/auth_input.h"

#define PROLOGUE "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define REPLY(x) "<config-auth client=\"vpn\" type=\"auth-reply\">" x "</config-auth>"

static struct auth_input *parse(const char *body)
{
	struct auth_input *in = NULL;

	assert_int_equal(auth_input_parse(NULL, body, strlen(body), &in), ERR_OK);
	return in;
}

static enum err verdict(const char *body)
{
	struct auth_input *in = NULL;
	enum err err = auth_input_parse(NULL, body, strlen(body), &in);

	talloc_free(in);
	return err;
}

static void an_init_tells_about_the_client(void **state)
{
	struct auth_input *in = parse(
		PROLOGUE
		"<config-auth client=\"vpn\" type=\"init\" aggregate-auth-version=\"2\">"
		"<version who=\"vpn\">v9.21</version>"
		"<device-id device-type=\"iPad\" platform-version=\"15\" unique-id=\"u1\">apple-ios"
		"</device-id>\r\n<!-- hello --><unknown a=\"b\"><x>1</x></unknown>"
		"<capabilities><auth-method>single-sign-on-v2</auth-method>"
		"<auth-method>single-sign-on-external-browser</auth-method>"
		"<auth-method>later</auth-method></capabilities>"
		"<group-access>https://vpn.example.com/staff?a=1&amp;b=2</group-access>"
		"<group-select>staff</group-select><client-cert-fail/></config-auth>");

	(void)state;
	assert_int_equal(in->kind, AUTH_INIT);
	assert_string_equal(in->version, "v9.21");
	assert_string_equal(in->device_id, "apple-ios");
	assert_string_equal(in->device_type, "iPad");
	assert_string_equal(in->platform_version, "15");
	assert_string_equal(in->unique_id, "u1");
	assert_int_equal(in->caps, AUTH_CAP_SSO_V2 | AUTH_CAP_SSO_EXTERNAL);
	assert_string_equal(in->group_access, "https://vpn.example.com/staff?a=1&b=2");
	assert_string_equal(in->group, "staff");
	assert_true(in->client_cert_fail);
	assert_null(in->username);
	assert_int_equal(in->n_answers, 0);
	talloc_free(in);
}

static void a_reply_has_verbatim_answers(void **state)
{
	struct auth_input *in = parse(
		PROLOGUE REPLY("<auth><username> Ann </username>"
			       "<password> &lt;a&amp;b&gt; \"'%+;&#228;\xc3\xa4 </password>"
			       "<secondary_password>12<!-- x -->34</secondary_password></auth>"));

	(void)state;
	assert_int_equal(in->kind, AUTH_REPLY);
	assert_string_equal(in->username, " Ann ");
	assert_string_equal(auth_input_answer(in, "password"), " <a&b> \"'%+;\xc3\xa4\xc3\xa4 ");
	assert_string_equal(auth_input_answer(in, "secondary_password"), "1234");
	assert_null(auth_input_answer(in, "sso-token"));
	assert_null(in->group);
	assert_false(in->client_cert_fail);
	assert_int_equal(in->caps, 0);
	assert_null(in->cert_hash);
	talloc_free(in);
}

static void other_encodings_become_utf8(void **state)
{
	struct auth_input *in = parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" REPLY(
		"<auth><username>\xe4</username></auth>"));

	(void)state;
	assert_string_equal(in->username, "\xc3\xa4");
	talloc_free(in);
}

static void an_empty_password_is_an_answer(void **state)
{
	struct auth_input *in = parse(REPLY("<auth><password/></auth>"));

	(void)state;
	assert_string_equal(auth_input_answer(in, "password"), "");
	talloc_free(in);
	in = parse(REPLY("<auth><password></password></auth>"));
	assert_string_equal(auth_input_answer(in, "password"), "");
	talloc_free(in);
	in = parse(REPLY("<auth/>"));
	assert_null(auth_input_answer(in, "password"));
	talloc_free(in);
}

static void element_names_ignore_case(void **state)
{
	struct auth_input *in =
		parse("<Config-Auth TYPE=\"auth-reply\"><Auth><UserName>a</UserName>"
		      "<PassWord>b</PassWord></Auth></Config-Auth>");

	(void)state;
	assert_string_equal(in->username, "a");
	assert_string_equal(auth_input_answer(in, "password"), "b");
	talloc_free(in);
}

static void a_copied_opaque_is_not_read(void **state)
{
	struct auth_input *in = parse(REPLY(
		"<opaque is-for=\"sg\"><tunnel-group>x</tunnel-group><username>evil</username>"
		"<password>evil</password></opaque><auth><password>p</password></auth>"));

	(void)state;
	assert_null(in->username);
	assert_string_equal(auth_input_answer(in, "password"), "p");
	assert_int_equal(in->n_answers, 1);
	talloc_free(in);
}

static void values_that_come_twice_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		verdict(REPLY("<auth><password>a</password><password>b</password></auth>")),
		ERR_PROTO);
	assert_int_equal(
		verdict(REPLY("<auth><password>a</password><PASSWORD>b</PASSWORD></auth>")),
		ERR_PROTO);
	assert_int_equal(verdict(REPLY("<auth><username>a</username></auth>"
				       "<auth><username>a</username></auth>")),
			 ERR_PROTO);
	assert_int_equal(verdict(REPLY("<group-select>a</group-select>"
				       "<group-select>b</group-select>")),
			 ERR_PROTO);
	assert_int_equal(verdict("username=a&username=b"), ERR_PROTO);
	assert_int_equal(verdict("password=a&password=b"), ERR_PROTO);
	assert_int_equal(verdict("group_list=a&group%5flist=b"), ERR_PROTO);
}

static void a_doctype_is_tolerated(void **state)
{
	static const char *const good[] = {
		"<!DOCTYPE config-auth>" REPLY("<auth><password>p</password></auth>"),
		"<!DOCTYPE config-auth SYSTEM \"http://x/y.dtd\">" REPLY(
			"<auth><password>p</password></auth>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct auth_input *in = parse(good[i]);
		assert_string_equal(auth_input_answer(in, "password"), "p");
		talloc_free(in);
	}
}

static void entities_are_refused(void **state)
{
	static const char *const bad[] = {
		"<!DOCTYPE x [<!ENTITY e \"boom\">]>" REPLY(
			"<auth><password>&e;</password></auth>"),
		"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" REPLY("&e;"),
		"<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://x/\"> %p;]>" REPLY(""),
		"<!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]>" REPLY("&b;"),
		"<!DOCTYPE config-auth SYSTEM \"x.dtd\">" REPLY(
			"<auth><password>&e;</password></auth>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(verdict(bad[i]), ERR_PROTO);
	assert_int_equal(verdict(REPLY("<auth><password>&e;</password></auth>")), ERR_SYNTAX);
}

static void malformed_documents_are_refused(void **state)
{
	static const struct {
		const char *body;
		enum err err;
	} rows[] = {
		{ "<", ERR_SYNTAX },
		{ "<config-auth type=\"init\">", ERR_SYNTAX },
		{ "<other type=\"init\"/>", ERR_SYNTAX },
		{ "<config-auth/>", ERR_UNSUPPORTED },
		{ "<config-auth type=\"complete\"/>", ERR_UNSUPPORTED },
		{ "<config-auth type=\"init\"/>x", ERR_SYNTAX },
		{ REPLY("<auth><password>&#0;</password></auth>"), ERR_SYNTAX },
		{ REPLY("<auth><password>\xff</password></auth>"), ERR_SYNTAX },
		{ "p=a%00", ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(verdict(rows[i].body), rows[i].err);
}

static void deep_nesting_is_refused(void **state)
{
	char body[2000] = "<config-auth type=\"init\">";

	(void)state;
	for (int i = 1; i < AUTH_DEPTH; i++)
		strcat(body, "<a>");
	for (int i = 1; i < AUTH_DEPTH; i++)
		strcat(body, "</a>");
	strcat(body, "</config-auth>");
	assert_int_equal(verdict(body), ERR_OK);
	strcpy(body, "<config-auth type=\"init\">");
	for (int i = 0; i < AUTH_DEPTH; i++)
		strcat(body, "<a>");
	assert_int_equal(verdict(body), ERR_TOO_LONG);
}

static void too_many_answers_are_refused(void **state)
{
	char body[2000] = "<config-auth type=\"auth-reply\"><auth>";

	(void)state;
	for (int i = 0; i <= AUTH_ANSWERS; i++)
		sprintf(body + strlen(body), "<f%d/>", i);
	strcat(body, "</auth></config-auth>");
	assert_int_equal(verdict(body), ERR_TOO_LONG);
}

static void a_form_gives_the_same_input(void **state)
{
	struct auth_input *in = parse("username=alice&password=s3%20cret%3c&group_list=staff&"
				      "secondary_username=&secondary_password=&Login=Login");

	(void)state;
	assert_int_equal(in->kind, AUTH_REPLY);
	assert_string_equal(in->username, "alice");
	assert_string_equal(auth_input_answer(in, "password"), "s3 cret<");
	assert_string_equal(in->group, "staff");
	assert_int_equal(in->n_answers, 1);
	talloc_free(in);
	in = parse("password=");
	assert_string_equal(auth_input_answer(in, "password"), "");
	talloc_free(in);
	in = parse("");
	assert_int_equal(in->kind, AUTH_INIT);
	talloc_free(in);
}

static void the_second_certificate_is_found(void **state)
{
	struct auth_input *in =
		parse(REPLY("<session-token/><session-id/><auth>"
			    "<client-cert-chain cert-store=\"1M\"><client-cert-sent-via-protocol/>"
			    "</client-cert-chain><client-cert-chain cert-store=\"1U\">"
			    "<client-cert cert-format=\"pkcs7\">MIIB\nAAAA</client-cert>"
			    "<client-cert-auth-signature hash-algorithm-chosen=\"sha512\">c2ln"
			    "</client-cert-auth-signature></client-cert-chain></auth>"));

	(void)state;
	assert_string_equal(in->cert_pkcs7, "MIIB\nAAAA");
	assert_string_equal(in->cert_signature, "c2ln");
	assert_string_equal(in->cert_hash, "sha512");
	assert_int_equal(in->n_answers, 0);
	talloc_free(in);
}

static void a_logout_names_its_session(void **state)
{
	struct auth_input *in = parse(" \r\n<config-auth type=\"logout\"><session-token>t"
				      "</session-token></config-auth>");

	(void)state;
	assert_int_equal(in->kind, AUTH_LOGOUT);
	assert_string_equal(in->session_token, "t");
	talloc_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_init_tells_about_the_client),
		cmocka_unit_test(a_reply_has_verbatim_answers),
		cmocka_unit_test(other_encodings_become_utf8),
		cmocka_unit_test(an_empty_password_is_an_answer),
		cmocka_unit_test(element_names_ignore_case),
		cmocka_unit_test(a_copied_opaque_is_not_read),
		cmocka_unit_test(values_that_come_twice_are_refused),
		cmocka_unit_test(a_doctype_is_tolerated),
		cmocka_unit_test(entities_are_refused),
		cmocka_unit_test(malformed_documents_are_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(too_many_answers_are_refused),
		cmocka_unit_test(a_form_gives_the_same_input),
		cmocka_unit_test(the_second_certificate_is_found),
		cmocka_unit_test(a_logout_names_its_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
