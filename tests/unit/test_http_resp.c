/* test_http_resp.c - response building without injection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/http_resp.h"

static int setup(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf *b = talloc(ctx, struct buf);

	buf_init(b, b, 1 << 16);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(talloc_parent(*state));
	return 0;
}

static void a_response_has_head_and_body(void **state)
{
	struct buf *b = *state;

	http_resp_begin(b, 200, "OK", HTTP_KEEP_ALIVE);
	http_resp_header(b, "X-Transcend-Version", "1");
	http_resp_body(b, "text/xml", "<a/>", 4);
	assert_string_equal(buf_text(b), "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\n"
					 "X-Transcend-Version: 1\r\nContent-Type: text/xml\r\n"
					 "Content-Length: 4\r\n\r\n<a/>");
}

static void values_cannot_add_headers(void **state)
{
	struct buf *b = *state;

	http_resp_begin(b, 401, "No\r\nX: 1", HTTP_CLOSE);
	http_resp_header(b, "X-Reason", "a\r\nSet-Cookie: b\x01");
	http_resp_line(b, "X-User: bob\r\nX-Evil: 1");
	http_resp_line(b, "no colon");
	http_resp_line(b, "bad name: 1");
	http_resp_line(b, ": 1");
	http_resp_end(b);
	assert_string_equal(buf_text(b), "HTTP/1.1 401 NoX: 1\r\nConnection: close\r\n"
					 "X-Reason: aSet-Cookie: b\r\nX-User: bobX-Evil: 1\r\n"
					 "Content-Length: 0\r\n\r\n");
	assert_false(b->failed);
}

static void configured_lines_cut_no_response(void **state)
{
	struct buf *b = *state;
	char *lines[] = { "X-A: 1", "Content-Length: 5",  "transfer-encoding: chunked",
			  "X-A: 1", "Connection: close",  "Content-Type: text/plain",
			  "X-A: 2", "Content-Length-X: 5" };
	const struct strv list = { lines, sizeof lines / sizeof *lines };

	http_resp_security(b, &list, false);
	assert_string_equal(buf_text(b), "X-A: 1\r\nX-A: 2\r\nContent-Length-X: 5\r\n");
}

static void a_name_that_is_no_token_fails(void **state)
{
	struct buf *b = *state;

	http_resp_header(b, "X\r\nY", "1");
	assert_true(b->failed);
}

static void cookies_carry_their_attributes(void **state)
{
	struct buf *b = *state;

	http_resp_cookie(b, "webvpncontext", "QQ==", 300, COOKIE_HTTP_ONLY);
	http_resp_cookie(b, "webvpn", "x", 0, COOKIE_DELETE | COOKIE_PATH);
	assert_string_equal(
		buf_text(b),
		"Set-Cookie: webvpncontext=QQ==; Max-Age=300; Secure; HttpOnly\r\n"
		"Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure\r\n");
	http_resp_cookie(b, "webvpn", "a; Domain=evil", 0, 0);
	assert_true(b->failed);
}

static void webvpnc_names_certificate_and_profile(void **state)
{
	struct buf *b = *state;

	http_resp_webvpnc(b, "AA11", "p.xml", "BB22");
	assert_string_equal(
		buf_text(b),
		"Set-Cookie: webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; "
		"HttpOnly\r\n"
		"Set-Cookie: webvpnc=bu:/&p:t&iu:1/&sh:AA11&lu:/+CSCOT+/translation-table?"
		"textdomain%3DAnyConnect%26type%3Dmanifest&fu:profiles%2Fp.xml&fh:BB22; path=/; "
		"Secure; HttpOnly\r\n");
	buf_reset(b);
	http_resp_webvpnc(b, "AA11", NULL, NULL);
	assert_non_null(strstr(buf_text(b), "sh:AA11; path=/"));
}

static void the_default_security_headers_are_sent(void **state)
{
	struct buf *b = *state;

	http_resp_security(b, NULL, false);
	assert_non_null(strstr(buf_text(b), "X-Frame-Options: deny\r\n"));
	assert_non_null(strstr(buf_text(b), "Clear-Site-Data: "));
	buf_reset(b);
	http_resp_security(b, NULL, true);
	assert_null(strstr(buf_text(b), "Clear-Site-Data: "));
	assert_null(strstr(buf_text(b), "Content-Security-Policy"));
	assert_non_null(strstr(buf_text(b), "Referrer-Policy: no-referrer\r\n"));
}

static void configured_security_headers_replace_the_default(void **state)
{
	char *items[] = { (char *)"X-A: 1", (char *)"broken" };
	struct strv lines = { items, 2 }, none = { NULL, 0 };
	struct buf *b = *state;

	http_resp_security(b, &lines, false);
	assert_string_equal(buf_text(b), "X-A: 1\r\n");
	buf_reset(b);
	http_resp_security(b, &none, false);
	assert_string_equal(buf_text(b), "");
}

static void errors_have_an_empty_body(void **state)
{
	const struct strv none = { 0 };
	struct buf *b = *state;

	http_resp_error(b, 503, "Service Unavailable", "Server error", &none);
	assert_string_equal(buf_text(b), "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
					 "X-Reason: Server error\r\nContent-Length: 0\r\n\r\n");
	buf_reset(b);
	http_resp_not_found(b, &none);
	assert_int_equal(strncmp(buf_text(b), "HTTP/1.1 404 Not found\r\n", 24), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_response_has_head_and_body, setup, teardown),
		cmocka_unit_test_setup_teardown(values_cannot_add_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(configured_lines_cut_no_response, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_that_is_no_token_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(cookies_carry_their_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(webvpnc_names_certificate_and_profile, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_default_security_headers_are_sent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(configured_security_headers_replace_the_default,
						setup, teardown),
		cmocka_unit_test_setup_teardown(errors_have_an_empty_body, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
