/* test_http_req.c - the request parser: what passes, what closes the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/http_req.h"

#define INIT                                                                                       \
	"POST / HTTP/1.1\r\nHost: vpn.example.com\r\nX-Aggregate-Auth: 1\r\n"                      \
	"x-pad:0000\r\nContent-Length: 5\r\n\r\nhello"

static int setup(void **state)
{
	*state = http_parser_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static enum err feed(void **state, const char *text)
{
	return http_parser_feed(*state, text, strlen(text));
}

/* Feeds a fresh parser and forgets it. */
static enum err verdict(const char *text)
{
	struct http_parser *p = http_parser_new(NULL);
	enum err err = http_parser_feed(p, text, strlen(text));

	talloc_free(p);
	return err;
}

static void check_init(const struct http_request *req)
{
	assert_int_equal(req->method, HTTP_POST);
	assert_string_equal(req->path, "/");
	assert_null(req->query);
	assert_int_equal(req->n_headers, 4);
	assert_string_equal(http_header(req, "host"), "vpn.example.com");
	assert_string_equal(http_header(req, "X-Pad"), "0000");
	assert_null(http_header(req, "X-Pa"));
	assert_int_equal(req->body_len, 5);
	assert_string_equal(req->body, "hello");
	assert_true(req->keep_alive);
	assert_false(req->http10);
}

static void a_request_is_parsed_in_one_piece(void **state)
{
	assert_int_equal(feed(state, INIT), ERR_OK);
	check_init(http_parser_request(*state));
}

static void a_request_is_parsed_byte_by_byte(void **state)
{
	const char *text = INIT;
	size_t len = strlen(text);

	assert_false(http_parser_is_started(*state));
	for (size_t i = 0; i + 1 < len; i++) {
		assert_int_equal(http_parser_feed(*state, text + i, 1), ERR_AGAIN);
		assert_true(http_parser_is_started(*state));
	}
	assert_int_equal(http_parser_feed(*state, text + len - 1, 1), ERR_OK);
	assert_false(http_parser_is_started(*state));
	check_init(http_parser_request(*state));
}

static void after_a_reset_the_next_request_is_parsed(void **state)
{
	assert_int_equal(feed(state, INIT), ERR_OK);
	http_parser_reset(*state);
	assert_int_equal(feed(state, "GET /x?a=b?c HTTP/1.1\r\n\r\n"), ERR_OK);
	assert_string_equal(http_parser_request(*state)->path, "/x");
	assert_string_equal(http_parser_request(*state)->query, "a=b?c");
	assert_int_equal(http_parser_request(*state)->n_headers, 0);
	assert_int_equal(http_parser_request(*state)->body_len, 0);
	http_parser_reset(*state);
	assert_int_equal(feed(state, INIT), ERR_OK);
	check_init(http_parser_request(*state));
}

static void connect_takes_a_path_with_or_without_its_slash(void **state)
{
	assert_int_equal(feed(state, "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n\r\n"), ERR_OK);
	assert_int_equal(http_parser_request(*state)->method, HTTP_CONNECT);
	assert_string_equal(http_parser_request(*state)->path, "/CSCOSSLC/tunnel");
	http_parser_reset(*state);
	assert_int_equal(feed(state, "CONNECT CSCOSSLC/tunnel HTTP/1.1\r\n\r\n"), ERR_OK);
	assert_string_equal(http_parser_request(*state)->path, "/CSCOSSLC/tunnel");
	assert_int_equal(verdict("GET CSCOSSLC/tunnel HTTP/1.1\r\n\r\n"), ERR_SYNTAX);
	assert_int_equal(verdict("CONNECT /t HTTP/1.1\r\nContent-Length: 1\r\n\r\n"), ERR_PROTO);
	assert_int_equal(verdict("CONNECT /t HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), ERR_OK);
}

static void the_last_of_repeated_headers_wins(void **state)
{
	assert_int_equal(feed(state, "GET / HTTP/1.1\r\nA: 1\r\na:\t 2 \t\r\n\r\n"), ERR_OK);
	assert_string_equal(http_header(http_parser_request(*state), "A"), "2");
	assert_string_equal(http_parser_request(*state)->headers[0].value, "1");
}

static void keep_alive_follows_version_and_connection(void **state)
{
	static const struct {
		const char *text;
		bool keep;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nConnection: CLOSE\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: TE, close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(feed(state, rows[i].text), ERR_OK);
		assert_int_equal(http_parser_request(*state)->keep_alive, rows[i].keep);
		http_parser_reset(*state);
	}
}

static void a_chunked_body_is_joined(void **state)
{
	const char *text = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "5\r\nhello\r\nB\r\n, wide worl\r\n1\r\nd\r\n0\r\n\r\n";

	assert_int_equal(feed(state, text), ERR_OK);
	assert_string_equal(http_parser_request(*state)->body, "hello, wide world");
	http_parser_reset(*state);
	for (size_t i = 0; text[i]; i++)
		assert_int_equal(http_parser_feed(*state, text + i, 1),
				 text[i + 1] ? ERR_AGAIN : ERR_OK);
	assert_string_equal(http_parser_request(*state)->body, "hello, wide world");
}

static void malformed_requests_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} rows[] = {
		{ "PUT / HTTP/1.1\r\n", ERR_UNSUPPORTED },
		{ "get / HTTP/1.1\r\n", ERR_UNSUPPORTED },
		{ "GET / HTTP/2.0\r\n", ERR_UNSUPPORTED },
		{ "GET / HTTP/1.2\r\n", ERR_UNSUPPORTED },
		{ "GET / http/1.1\r\n", ERR_UNSUPPORTED },
		{ "GET /\r\n", ERR_SYNTAX },
		{ "GET  HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET  / HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET /a b HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET http://x/ HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET * HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET /\x01 HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\n", ERR_SYNTAX },
		{ "\r\nGET / HTTP/1.1\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nA: 1\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nA: 1\rB: 2\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nNoColon\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\n: 1\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nA : 1\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nA: 1\r\n folded\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nA: \x7f\r\n", ERR_SYNTAX },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", ERR_UNSUPPORTED },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
		  ERR_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(verdict(rows[i].text), rows[i].err);
}

static void an_ambiguous_length_is_refused(void **state)
{
	static const char *const heads[] = {
		"Content-Length: 5\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 5",
		"Content-Length: 5\r\nContent-Length: 6",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Content-Length: 5, 5",
		"Content-Length: +5",
		"Content-Length: -1",
		"Content-Length:",
		"Content-Length: 99999999999999999999999",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		snprintf(text, sizeof text, "POST / HTTP/1.1\r\n%s\r\n\r\n", heads[i]);
		assert_int_equal(verdict(text), ERR_PROTO);
	}
	assert_int_equal(verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
			 ERR_PROTO);
	assert_int_equal(verdict("POST / HTTP/1.1\r\nContent-Length: 1\r\n"
				 "Content-Length: 1\r\n\r\nx"),
			 ERR_OK);
}

static void malformed_chunks_are_refused(void **state)
{
	static const char *const bodies[] = {
		"\r\n",		"x\r\n",	 "5;ext=1\r\n",
		"5\n",		"1\r\nab",	 "1\r\na\r\n0\r\nTrailer: 1\r\n\r\n",
		" 1\r\n",	"000000005\r\n", "15\n",
		"1\r\na\r\r\n", "1\r\na\n",	 "0\r\n\n",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		snprintf(text, sizeof text,
			 "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%s", bodies[i]);
		assert_int_equal(verdict(text), ERR_SYNTAX);
	}
	snprintf(text, sizeof text, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
		 HTTP_BODY_MAX + 1);
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	snprintf(text, sizeof text, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
		 HTTP_BODY_MAX);
	assert_int_equal(verdict(text), ERR_AGAIN);
}

static void pipelined_bytes_are_refused(void **state)
{
	assert_int_equal(verdict("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"), ERR_PROTO);
	assert_int_equal(verdict(INIT "x"), ERR_PROTO);
	assert_int_equal(feed(state, INIT), ERR_OK);
	assert_int_equal(feed(state, "x"), ERR_PROTO);
	assert_int_equal(feed(state, "x"), ERR_STATE);
}

static void the_limits_hold(void **state)
{
	char *text = talloc_zero_size(NULL, 40000);
	int n;

	(void)state;
	n = sprintf(text, "GET /");
	memset(text + n, 'a', HTTP_TARGET_MAX - 1);
	strcat(text, " HTTP/1.1\r\n\r\n");
	assert_int_equal(verdict(text), ERR_OK);
	n = sprintf(text, "GET /");
	memset(text + n, 'a', HTTP_TARGET_MAX);
	sprintf(text + n + HTTP_TARGET_MAX, " HTTP/1.1\r\n\r\n");
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	n = sprintf(text, "GET / HTTP/1.1\r\nA: ");
	memset(text + n, 'a', HTTP_HEADERS_MAX - 1);
	sprintf(text + n + HTTP_HEADERS_MAX - 1, "\r\n\r\n");
	assert_int_equal(verdict(text), ERR_OK);
	sprintf(text + n + HTTP_HEADERS_MAX - 1, "a\r\n\r\n");
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	memset(text + n, 'a', 39000);
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	n = sprintf(text, "GET / HTTP/1.1\r\n");
	for (int i = 0; i <= HTTP_HEADER_COUNT; i++)
		n += sprintf(text + n, "A:\r\n");
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	sprintf(text, "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", HTTP_BODY_MAX + 1);
	assert_int_equal(verdict(text), ERR_TOO_LONG);
	talloc_free(text);
}

static void a_body_of_the_largest_size_passes(void **state)
{
	char head[100], *body = talloc_zero_size(NULL, HTTP_BODY_MAX);

	snprintf(head, sizeof head, "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", HTTP_BODY_MAX);
	assert_int_equal(feed(state, head), ERR_AGAIN);
	body[HTTP_BODY_MAX - 1] = 'z';
	assert_int_equal(http_parser_feed(*state, body, HTTP_BODY_MAX), ERR_OK);
	assert_int_equal(http_parser_request(*state)->body_len, HTTP_BODY_MAX);
	assert_int_equal(http_parser_request(*state)->body[HTTP_BODY_MAX - 1], 'z');
	talloc_free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_is_parsed_in_one_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_is_parsed_byte_by_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_reset_the_next_request_is_parsed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(connect_takes_a_path_with_or_without_its_slash,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_of_repeated_headers_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(keep_alive_follows_version_and_connection, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_chunked_body_is_joined, setup, teardown),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(an_ambiguous_length_is_refused),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test_setup_teardown(pipelined_bytes_are_refused, setup, teardown),
		cmocka_unit_test(the_limits_hold),
		cmocka_unit_test_setup_teardown(a_body_of_the_largest_size_passes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
