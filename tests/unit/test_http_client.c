/* test_http_client.c - client classes and cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "wire/http_client.h"

#include "tests/unit/wire_request.h"

/* base64 of 32 times 'A' and of 32 times 'B' */
#define COOKIE_A "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define COOKIE_B "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="

static struct http_client parse(const char *lines)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct http_client c;

	http_client_parse(request(ctx, lines), &c);
	c.host = c.authorization = c.strap_key = NULL;
	talloc_free(ctx);
	return c;
}

static void user_agents_have_classes(void **state)
{
	static const struct {
		const char *text;
		enum client_class class;
		bool ios;
	} rows[] = {
		{ "Open AnyConnect VPN Agent v9.01-3", CLIENT_OPENCONNECT, false },
		{ "open anyconnect vpn agent v3.20", CLIENT_OCV3, false },
		{ "Open AnyConnect VPN Agent v10.1", CLIENT_OPENCONNECT, false },
		{ "Open AnyConnect VPN Agent v30", CLIENT_OPENCONNECT, false },
		{ "Open AnyConnect VPN Agent v", CLIENT_OPENCONNECT, false },
		{ "AnyConnect-compatible OpenConnect VPN Agent v9.21", CLIENT_OPENCONNECT, false },
		{ "OpenConnect VPN Agent (NetworkManager) v9", CLIENT_OPENCONNECT, false },
		{ "Cisco AnyConnect VPN Agent for Apple iPhone 4.0", CLIENT_ANYCONNECT, true },
		{ "Cisco AnyConnect VPN Agent for Windows", CLIENT_ANYCONNECT, false },
		{ "AnyConnect Windows 4.10.01075", CLIENT_ANYCONNECT, false },
		{ "Clavister OneConnect VPN v1", CLIENT_OPENCONNECT, false },
		{ "AnyLink Secure Client", CLIENT_OPENCONNECT, false },
		{ "Cisco SVC IPPhone Client v1.0", CLIENT_IPPHONE, false },
		{ "curl/8", CLIENT_UNKNOWN, false },
		{ "", CLIENT_UNKNOWN, false },
		{ NULL, CLIENT_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct client_agent a = client_agent_parse(rows[i].text);
		assert_int_equal(a.class, rows[i].class);
		assert_int_equal(a.ios, rows[i].ios);
	}
	assert_true(client_agent_parse("Mozilla/5.0 (X11)").browser);
}

static void cookies_are_found_among_others(void **state)
{
	struct http_client c =
		parse("GET / HTTP/1.1\n"
		      "Cookie: webvpnlogin=1; webvpn=" COOKIE_A " ;webvpncontext=" COOKIE_B ";x\n");

	(void)state;
	assert_true(c.has_ticket && c.has_context);
	assert_int_equal(c.ticket[31], 'A');
	assert_int_equal(c.context[0], 'B');
}

static void the_last_valid_cookie_wins(void **state)
{
	struct http_client c = parse("GET / HTTP/1.1\n"
				     "Cookie: webvpn=" COOKIE_B "\n"
				     "Cookie: webvpn=" COOKIE_A "; webvpn=short\n");

	(void)state;
	assert_true(c.has_ticket);
	assert_int_equal(c.ticket[0], 'A');
}

static void malformed_cookies_are_ignored(void **state)
{
	static const char *const bad[] = {
		"",
		"webvpn",
		"webvpn=",
		"webvpn=QUFB",
		"WEBVPN=" COOKIE_A,
		"webvpn= " COOKIE_A,
		"xwebvpn=" COOKIE_A,
		"webvpnx=" COOKIE_A,
		"webvpn=" COOKIE_A "=",
		"webvpn=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE",
		"webvpn=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", /* 33 bytes */
		"webvpn=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==", /* 31 bytes */
		"webvpn=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUF!QUE=",
	};
	char lines[200];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(lines, sizeof lines, "GET / HTTP/1.1\nCookie: %s\n", bad[i]);
		assert_false(parse(lines).has_ticket);
	}
}

static void oversized_cookies_are_ignored(void **state)
{
	size_t sizes[] = { 43, 45, 4096, 16000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *value = talloc_zero_size(NULL, sizes[i] + 1);
		memset(value, 'Q', sizes[i]);
		char *lines = talloc_asprintf(value,
					      "GET / HTTP/1.1\nCookie: webvpn=%s; "
					      "webvpncontext=%s\n",
					      value, "x");
		struct http_client c = parse(lines);
		assert_false(c.has_ticket || c.has_context);
		talloc_free(value);
	}
}

static void mobile_clients_are_recognised(void **state)
{
	(void)state;
	assert_true(
		parse("GET / HTTP/1.1\nUser-Agent: Cisco AnyConnect VPN Agent for Apple\n").mobile);
	assert_true(parse("GET / HTTP/1.1\nX-AnyConnect-Identifier-Platform: apple-ios\n").mobile);
	assert_true(
		parse("GET / HTTP/1.1\nX-AnyConnect-Identifier-Platform: apple-ios\n").agent.ios);
	assert_false(
		parse("GET / HTTP/1.1\nX-AnyConnect-Identifier-Platform: android\n").agent.ios);
	assert_true(parse("GET / HTTP/1.1\nX-AnyConnect-Identifier-Platform: Android\n").mobile);
	assert_true(parse("GET / HTTP/1.1\nX-CSTP-License: mobile\n").mobile);
	assert_false(parse("GET / HTTP/1.1\nX-AnyConnect-Identifier-Platform: linux\n").mobile);
}

static void abilities_need_their_exact_values(void **state)
{
	struct http_client c = parse("GET / HTTP/1.1\nX-Transcend-Version: 1\n"
				     "X-Aggregate-Auth: 1\nX-Support-HTTP-Auth: true\n");

	(void)state;
	assert_true(c.vpn_client && c.aggregate_auth && c.http_auth);
	c = parse("GET / HTTP/1.1\nX-Transcend-Version: 2\nX-Support-HTTP-Auth: fallback\n");
	assert_false(c.vpn_client || c.aggregate_auth || c.http_auth);
}

static void long_texts_are_cut(void **state)
{
	struct http_client c =
		parse("GET / HTTP/1.1\nUser-Agent: "
		      "0123456789012345678901234567890123456789012345678901234567890123456789\n"
		      "X-AnyConnect-Identifier-DeviceType: iPad3,2\n");

	(void)state;
	assert_int_equal(strlen(c.user_agent), CLIENT_TEXT - 1);
	assert_string_equal(c.device_type, "iPad3,2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_agents_have_classes),
		cmocka_unit_test(cookies_are_found_among_others),
		cmocka_unit_test(the_last_valid_cookie_wins),
		cmocka_unit_test(malformed_cookies_are_ignored),
		cmocka_unit_test(oversized_cookies_are_ignored),
		cmocka_unit_test(mobile_clients_are_recognised),
		cmocka_unit_test(abilities_need_their_exact_values),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
