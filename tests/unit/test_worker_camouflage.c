/* Tests of hosts that hide, and of profiles, with the environment played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/http_play.h"

#define SECRET "a1~b"
#define HIDDEN "camouflage", "true", "camouflage_secret", SECRET

static const char *const no_rows[] = { NULL };
static const char *const hidden[] = { HIDDEN, NULL };
static const char *const with_realm[] = { HIDDEN,  "camouflage_realm",	    "a \"b\" \\",
					  "kkdcp", "/K R tcp@192.0.2.1:88", NULL };

static const char not_found[] = "HTTP/1.1 404 Not found\r\nConnection: close\r\n"
				"Content-Type: text/html\r\nContent-Length: 50\r\n\r\n"
				"<html><body><h1>404 Not Found</h1></body></html>\r\n";

#define CONTEXT "Cookie: webvpncontext=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"

static void strangers_see_one_page_whatever_they_ask_for(void **state)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET /auth HTTP/1.1\r\nX-Transcend-Version: 1\r\n\r\n",
		"GET /?" SECRET "x HTTP/1.1\r\n\r\n",
		"GET /?a1~ HTTP/1.1\r\n\r\n",
		"GET /??" SECRET " HTTP/1.1\r\n\r\n",
		"GET /? HTTP/1.1\r\n\r\n",
		"GET /1/Linux HTTP/1.1\r\n\r\n",
		"GET /x HTTP/1.1\r\n\r\n",
		"GET /profiles/x HTTP/1.1\r\n\r\n",
		"PUT / HTTP/1.1\r\n\r\n",
		"GET / HTTP/2.0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n\r\n",
		"GET /nothing?" SECRET " HTTP/1.1\r\n\r\n",
		"PUT /?" SECRET " HTTP/1.1\r\n\r\n",
		POST("/", "0", ""),
		POST("/?A1~b", "0", ""),
		POST("/svc", "0", ""),
	};
	struct play p;

	(void)state;
	play_init(&p, hidden);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		assert_string_equal(play_run(&p, requests[i]), not_found);
	/* The secret comes too late on a connection that was refused. */
	assert_string_equal(
		play_run(&p, "GET / HTTP/1.1\r\n\r\n\1GET /?" SECRET " HTTP/1.1\r\n\r\n"),
		not_found);
	assert_int_equal(p.steps, 0);
	assert_int_equal(p.recalls, 0);
	play_end(&p);
}

static void realm_is_quoted_and_asked_for_everywhere(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, with_realm);
	assert_string_equal(play_run(&p, "GET /x HTTP/1.1\r\n\r\n"),
			    "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n"
			    "WWW-Authenticate: Basic realm=\"a \\\"b\\\" \\\\\"\r\n"
			    "Content-Type: text/html\r\nContent-Length: 53\r\n\r\n"
			    "<html><body><h1>401 Unauthorized</h1></body></html>\r\n");
	assert_int_equal(p.result, ERR_CLOSED);
	assert_non_null(strstr(play_run(&p, "PUT / HTTP/1.1\r\n\r\n"), "HTTP/1.1 401 Un"));
	assert_non_null(strstr(play_run(&p, "BREW /?" SECRET " HTTP/1.1\r\n\r\n"), "HTTP/1.1 404"));
	play_end(&p);
}

static void secret_proves_the_rest_of_the_connection(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, with_realm);
	assert_non_null(strstr(play_run(&p, POST("/K?" SECRET, "1", "x")), "HTTP/1.1 400 "));
	assert_non_null(strstr(play_run(&p, POST("/K", "1", "x")), "HTTP/1.1 401 "));
	assert_null(strstr(play_run(&p, POST("/?" SECRET, "0", "") "\1" POST(
						"/auth", "0", "") "\1"
								  "GET /1/Linux HTTP/1.1\r\n\r\n"),
			   "HTTP/1.1 401"));
	assert_int_equal(p.steps, 2);
	assert_non_null(
		strstr(play_run(&p, POST("/staff?" SECRET, "0", "")), "<auth id=\"main\">"));
	assert_string_equal(p.seen_group, "staff");
	/* Another connection has to begin anew. */
	assert_non_null(strstr(play_run(&p, POST("/auth", "0", "")), "HTTP/1.1 401"));
	play_end(&p);
}

static void cookies_prove_what_auth_says(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, hidden);
	assert_string_equal(play_run(&p, "GET /1/Linux HTTP/1.1\r\n" COOKIE "\r\n"), not_found);
	assert_int_equal(p.recalls, 1);
	p.known.ticket = true;
	assert_non_null(strstr(play_run(&p, "GET /1/Linux HTTP/1.1\r\n" COOKIE "\r\n"), " 200 OK"));
	p.known = (struct recall_answer){ .context = true };
	assert_non_null(strstr(play_run(&p, "GET /1/Linux HTTP/1.1\r\n" CONTEXT "\r\n"), " 200 "));
	assert_false(p.seen_recall.attempt);
	/* Without a cookie of the right form nobody is asked. */
	p.recalls = 0;
	play_run(&p, "GET / HTTP/1.1\r\nCookie: webvpn=x; webvpncontext=y\r\n\r\n");
	assert_int_equal(p.recalls, 0);
	play_end(&p);
}

static void connect_is_refused_without_a_word_on_tunnels(void **state)
{
	static const char none[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
				   "Content-Length: 0\r\n\r\n";
	static const char bad[] = "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"
				  "Allow: GET, POST\r\nContent-Length: 0\r\n\r\n";
	struct play p;

	(void)state;
	play_init(&p, with_realm);
	assert_string_equal(play_run(&p, CONNECT("", "")), none);
	assert_string_equal(play_run(&p, "CONNECT other HTTP/1.1\r\n\r\n"), none);
	assert_string_equal(play_run(&p, CONNECT("Cookie: webvpn=x\r\n", "")), bad);
	assert_string_equal(play_run(&p, CONNECT(COOKIE, "")), bad);
	assert_true(p.seen_recall.attempt);
	p.known.context = true;
	assert_string_equal(play_run(&p, "CONNECT /?" SECRET " HTTP/1.1\r\n" COOKIE "\r\n"), bad);
	assert_string_equal(play_run(&p, CONNECT(CONTEXT, "")), none);
	p.known.ticket = true;
	assert_non_null(strstr(play_run(&p, CONNECT(COOKIE, "")), "HTTP/1.1 200 CONNECTED\r\n"));
	play_end(&p);
}

static void secret_that_is_missing_opens_nothing(void **state)
{
	static const char *const rows[] = { "camouflage", "true", NULL };
	struct play p;

	(void)state;
	play_init(&p, rows);
	assert_string_equal(play_run(&p, "GET /? HTTP/1.1\r\n\r\n"), not_found);
	assert_string_equal(play_run(&p, "GET / HTTP/1.1\r\n\r\n"), not_found);
	play_end(&p);
}

static void queries_mean_nothing_without_camouflage(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(strstr(play_run(&p, POST("/?" SECRET, "0", "")), "<auth id=\"main\">"));
	assert_non_null(strstr(play_run(&p, "GET /x HTTP/1.1\r\n\r\n"), "X-Frame-Options: deny"));
	assert_int_equal(p.recalls, 0);
	play_end(&p);
}

/* ---- profiles ---- */

/* SHA-1 of "abc" and of "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" (FIPS 180). */
#define SHA1_HOST "A9993E364706816ABA3E25717850C26C9CD0D89D"
#define SHA1_OWN  "84983E441C3BD26EBAAE4AA1F95129E5E54670F1"

static const struct http_profile of_host = { (const uint8_t *)"abc", 3 };
static const struct http_profile of_user = {
	(const uint8_t *)"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56
};

/* The success of a login on a connection. */
static const char *logged_in(struct play *p)
{
	p->answer.kind = LOGIN_TICKET;
	p->answer.has_context = false;
	return play_run(p, POST("/auth", "0", ""));
}

static void hash_is_that_of_the_bytes_served(void **state)
{
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	p.profile = of_host;
	text = logged_in(&p);
	assert_non_null(strstr(text, "&fu:profiles%2Fprofile.xml&fh:" SHA1_HOST ";"));
	assert_non_null(strstr(text, "<uri>/profiles/profile.xml</uri>"));
	assert_non_null(strstr(text, "<hash type=\"sha1\">" SHA1_HOST "</hash>"));
	p.known.ticket = true;
	assert_non_null(strstr(play_run(&p, "GET /profiles/y HTTP/1.1\r\n" COOKIE "\r\n"),
			       "\r\nContent-Type: text/xml\r\nContent-Length: 3\r\n\r\nabc"));
	assert_true(p.seen_recall.profile);
	p.answer.own_profile = p.known.own_profile = true;
	p.answer.profile = p.known.profile = of_user;
	assert_non_null(strstr(logged_in(&p), "&fh:" SHA1_OWN ";"));
	assert_non_null(strstr(play_run(&p, "GET /profiles%2Fx HTTP/1.1\r\n" COOKIE "\r\n"),
			       "Content-Length: 56\r\n\r\nabcdbcd"));
	/* His own is none. */
	p.answer.profile = p.known.profile = (struct http_profile){ NULL, 0 };
	assert_null(strstr(logged_in(&p), "fh:"));
	assert_non_null(
		strstr(play_run(&p, "GET /profiles/x HTTP/1.1\r\n" COOKIE "\r\n"), " 404 "));
	play_end(&p);
}

static void profiles_need_the_cookie(void **state)
{
	static const char *const paths[] = { "/profiles/x.xml:4443", "/profiles%2fx.xml",
					     "/profiles", "/CACHE/stc/profiles/x" };
	char request[256];
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	p.profile = of_host;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" COOKIE "\r\n", paths[i]);
		p.known.ticket = false;
		assert_non_null(strstr(play_run(&p, request), "HTTP/1.1 404 Not found"));
		p.known.ticket = true;
		assert_non_null(strstr(play_run(&p, request), "HTTP/1.1 200 OK"));
		snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", paths[i]);
		assert_non_null(strstr(play_run(&p, request), "HTTP/1.1 404 Not found"));
	}
	assert_non_null(strstr(play_run(&p, "GET /profilesx HTTP/1.1\r\n" COOKIE "\r\n"), " 404 "));
	play_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_see_one_page_whatever_they_ask_for),
		cmocka_unit_test(realm_is_quoted_and_asked_for_everywhere),
		cmocka_unit_test(secret_proves_the_rest_of_the_connection),
		cmocka_unit_test(cookies_prove_what_auth_says),
		cmocka_unit_test(connect_is_refused_without_a_word_on_tunnels),
		cmocka_unit_test(secret_that_is_missing_opens_nothing),
		cmocka_unit_test(queries_mean_nothing_without_camouflage),
		cmocka_unit_test(hash_is_that_of_the_bytes_served),
		cmocka_unit_test(profiles_need_the_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
