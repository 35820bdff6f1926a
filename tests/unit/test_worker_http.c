/* Tests of the dialogue before the tunnel, with the environment played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "tests/unit/http_play.h"
#include "worker/http/connect.h"
#include "worker/image.h"
#include "worker/tunnel.h"

static const char *const no_rows[] = { NULL };

/* ---- routes ---- */

static void fixed_documents_are_found_by_the_get_rules(void **state)
{
	(void)state;
	assert_non_null(route_canned("/1/Linux"));
	assert_non_null(route_canned("/1/Linux/x"));
	assert_null(route_canned("/1/Linuxx"));
	assert_non_null(route_canned("/+CSCOT+/translation-table.xml"));
	assert_string_equal(route_canned("/1/binaries/update.txt")->body, "0,0,0000\n");
	assert_null(route_canned("/cert.pem"));
}

static void path_becomes_a_group_name(void **state)
{
	char g[GROUP_NAME_MAX + 1];

	(void)state;
	route_group_of("/staff", g);
	assert_string_equal(g, "staff");
	route_group_of("/my%20staff/", g);
	assert_string_equal(g, "my staff");
	route_group_of("/auth", g);
	assert_string_equal(g, "");
	route_group_of("/a%00b", g);
	assert_string_equal(g, "");
	route_group_of("/0123456789012345678901234567890123456789012345678901234567890123", g);
	assert_string_equal(g, "");
}

static void unknown_get_is_404_and_unknown_post_a_login(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(
		strstr(play_run(&p, "GET /x HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not found\r\n"));
	assert_int_equal(p.steps, 0);
	assert_non_null(strstr(play_run(&p, POST("/staff?a=b", "0", "")), "<auth id=\"main\">"));
	assert_string_equal(p.seen_group, "staff");
	assert_non_null(strstr(play_run(&p, POST("/svc", "0", "")), "HTTP/1.1 404 Not found\r\n"));
	play_end(&p);
}

static void login_paths_go_on_with_a_slash_in_gets(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(strstr(play_run(&p, "GET /auth/ HTTP/1.1\r\n\r\n"), "<auth id=\"main\">"));
	assert_non_null(strstr(play_run(&p, "GET /authx HTTP/1.1\r\n\r\n"), "HTTP/1.1 404"));
	play_end(&p);
}

static void browsers_see_a_page_without_words(void **state)
{
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	text = play_run(&p, "GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\n\r\n");
	assert_non_null(strstr(text, "\r\n\r\n<html></html>"));
	assert_int_equal(p.steps, 0);
	play_run(&p, "GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\nX-Transcend-Version: 1\r\n\r\n");
	assert_int_equal(p.steps, 1);
	play_end(&p);
}

/* Protocol.md 10.3: in the record behind the request, too. */
static void whoever_does_not_wait_for_the_answer_gets_none(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	p.impatient = true;
	assert_string_equal(play_run(&p, POST("/", "0", "")), "");
	assert_int_equal(p.result, ERR_PROTO);
	play_run(&p, CONNECT(COOKIE, ""));
	assert_int_equal(p.result, ERR_PROTO);
	assert_null(p.plan);
	play_end(&p);
}

static void logout_needs_the_ticket(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(
		strstr(play_run(&p, "GET /logout HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK\r\n"));
	assert_false(p.seen_logout);
	play_run(&p, "GET /logout HTTP/1.1\r\n" COOKIE "\r\n");
	assert_true(p.seen_logout);
	p.seen_logout = false;
	play_run(&p, POST("/", "89", LOGOUT("AAAAAAAAAAAAAAAAA")));
	assert_false(p.seen_logout);
	play_run(&p, POST("/", "116", LOGOUT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
	assert_true(p.seen_logout);
	play_end(&p);
}

/* ---- login ---- */

static void context_of_the_connection_goes_on_without_a_cookie(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	play_run(&p, POST("/", "0", "") "\1" POST("/auth", "14", "password=a%26b"));
	assert_int_equal(p.steps, 2);
	assert_true(p.seen_context);
	assert_string_equal(p.seen_password, "a&b");
	play_end(&p);
}

static void success_carries_all_cookies_and_the_banner(void **state)
{
	static const char *const rows[] = { "banner", "Hi <you>", "cookie-timeout", "77", NULL };
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, rows);
	text = play_run(&p, POST("/", "0", ""));
	assert_non_null(strstr(text, "Set-Cookie: webvpncontext=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
				     "HBwcHBwc=; Max-Age=77; Secure; HttpOnly\r\n"));
	p.answer.kind = LOGIN_TICKET;
	p.answer.has_context = false;
	text = play_run(&p, POST("/auth", "10", "password=x"));
	assert_non_null(strstr(text, "<auth id=\"success\">"));
	assert_non_null(strstr(text, "<banner>Hi &lt;you&gt;</banner>"));
	assert_non_null(strstr(text,
			       "Set-Cookie: webvpn=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;"
			       " Secure; HttpOnly\r\n"));
	assert_non_null(strstr(text, "&sh:0123456789ABCDEF0123456789ABCDEF01234567"));
	assert_non_null(strstr(text, "Set-Cookie: webvpncontext=;"));
	play_end(&p);
}

static void after_the_ticket_unknown_posts_are_404(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	p.answer.kind = LOGIN_TICKET;
	assert_non_null(
		strstr(play_run(&p, POST("/auth", "10", "password=x") "\1" POST("/staff", "0", "")),
		       "HTTP/1.1 404 Not found\r\n"));
	assert_int_equal(p.steps, 1);
	play_end(&p);
}

static void malformed_documents_are_refused_for_good(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(strstr(play_run(&p, POST("/", "8", "<config>")), "HTTP/1.1 401 "));
	assert_int_equal(p.result, ERR_DENIED);
	assert_int_equal(p.steps, 0);
	play_end(&p);
}

static void challenge_goes_on_and_names_the_fallback(void **state)
{
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	p.answer.kind = LOGIN_DENIED;
	p.answer.challenge = "Negotiate";
	p.answer.fallback = true;
	text = play_run(&p, POST("/", "0", "") "\1" POST("/", "0", ""));
	assert_non_null(strstr(text, "\r\nWWW-Authenticate: Negotiate\r\n"));
	assert_non_null(strstr(text, "\r\nX-HTTP-Auth-Support: fallback\r\n"));
	assert_int_equal(p.steps, 2);
	play_end(&p);
}

/* ---- the KDC ---- */

static const char *const kdc_rows[] = { "kkdcp", "/Kdc EXAMPLE.ORG tcp@192.0.2.1:88", NULL };

/* The example of protocol.md §8, whose second byte is the length of the rest; POST's body may hold
 * no NUL, so the bytes are sent apart. */
static const uint8_t kdc_example[] = { 0x30, 0x1c, 0xa0, 0x0b, 0x04, 0x09, 0,	0,    0,   5,
				       0x6a, 3,	   2,	 1,    5,    0xa1, 13,	0x1b, 11,  'E',
				       'X',  'A',  'M',	 'P',  'L',  'E',  '.', 'O',  'R', 'G' };

/* One request of RAW bytes behind HEAD. */
static const char *play_raw(struct play *p, const char *head, const void *body, size_t len)
{
	struct http_dialogue d = {
		.conf = p->conf,
		.host = p->conf->host[0],
		.peer = &p->peer,
		.env = &play_env,
		.arg = p,
		.log = &p->log,
	};

	p->raw = body;
	p->raw_len = len;
	p->input = head;
	buf_reset(&p->output);
	p->result = http_run(&d, p->ctx, &p->plan);
	return buf_text(&p->output);
}

static void kerberos_messages_go_to_the_kdc_and_back(void **state)
{
	static const uint8_t reply[] = { 0, 0, 0, 1, 'K' };
	const char *said;
	struct play p;

	(void)state;
	play_init(&p, kdc_rows);
	p.kdc = (struct kdc_answer){ true, reply, sizeof reply };
	said = play_raw(&p, "POST /Kdc HTTP/1.1\r\nContent-Length: 30\r\n\r\n", kdc_example,
			sizeof kdc_example);
	assert_string_equal(p.seen_kdc, "/Kdc EXAMPLE.ORG 9");
	assert_int_equal(p.steps, 0);
	assert_non_null(strstr(said, "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\n"));
	assert_non_null(strstr(said, "Content-Type: application/kerberos\r\n"));
	assert_memory_equal(p.output.data + p.output.len - 11, "\x30\x09\xa0\x07\x04\x05\0\0\0\1K",
			    11);
	play_end(&p);
}

static void kdc_that_is_silent_gives_502_and_the_client_may_go_on(void **state)
{
	const char *said;
	struct play p;

	(void)state;
	play_init(&p, kdc_rows);
	said = play_raw(&p, "POST /Kdc HTTP/1.1\r\nContent-Length: 30\r\n\r\n", kdc_example,
			sizeof kdc_example);
	assert_non_null(strstr(said, "HTTP/1.1 502 Bad Gateway\r\nConnection: Keep-Alive\r\n"));
	assert_non_null(strstr(said, "Content-Length: 0\r\n"));
	assert_int_equal(p.result, ERR_CLOSED); /* by the script's end */
	play_end(&p);
}

static void malformed_kerberos_is_counted_and_refused(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, kdc_rows);
	p.kdc.ok = true;
	assert_non_null(strstr(play_run(&p, POST("/Kdc", "3", "abc")), "HTTP/1.1 400 Bad Request"));
	assert_string_equal(p.seen_kdc, "/Kdc  0");
	play_end(&p);
}

static void path_of_the_kdc_is_exact_and_takes_posts_only(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, kdc_rows);
	assert_non_null(strstr(play_run(&p, "GET /Kdc HTTP/1.1\r\n\r\n"),
			       "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"
			       "Allow: POST\r\n"));
	assert_non_null(strstr(play_run(&p, "GET /Kdc/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 404"));
	assert_non_null(strstr(play_run(&p, POST("/kdc", "0", "")), "<auth id=\"main\">"));
	assert_string_equal(p.seen_kdc, "");
	play_end(&p);
}

static const char *const phone_rows[] = { "cisco-svc-client-compat", "true", NULL };

/* Checklist 196, protocol.md 4.22. */
static void phones_log_in_with_a_form_or_basic_authentication(void **state)
{
	struct play p;
	const char *out;

	(void)state;
	play_init(&p, phone_rows);
	out = play_run(&p, "GET /svc HTTP/1.1\r\n\r\n");
	assert_non_null(strstr(out, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(out, "Set-Cookie: webvpnlogin=1; Secure\r\n"));
	p.answer.kind = LOGIN_TICKET;
	out = play_run(&p, POST("/svc", "24", "username=ann&password=pw"));
	assert_non_null(strstr(out, "Set-Cookie: webvpn=AAAAAAAA"));
	assert_string_equal(p.seen_password, "pw");
	out = play_run(&p, "GET /svc HTTP/1.1\r\nAuthorization: basic YW5uOnM6cA==\r\n\r\n");
	assert_non_null(strstr(out, "Set-Cookie: webvpn=AAAAAAAA"));
	assert_string_equal(p.seen_password, "s:p");
	play_end(&p);
}

static void phones_that_prove_nothing_get_401(void **state)
{
	static const char *const bad[] = {
		POST("/svc", "27", "username=ann&password=wrong"),
		POST("/svc", "0", ""),
		"GET /svc HTTP/1.1\r\nAuthorization: Basic YW5uOnB3\r\n\r\n",
		"GET /svc HTTP/1.1\r\nAuthorization: Basic YW5u\r\n\r\n",     /* no colon */
		"GET /svc HTTP/1.1\r\nAuthorization: Basic YTpiAGM=\r\n\r\n", /* a NUL */
		"GET /svc HTTP/1.1\r\nAuthorization: Basic %\r\n\r\n",
	};
	struct play p;

	(void)state;
	play_init(&p, phone_rows);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_non_null(
			strstr(play_run(&p, bad[i]), "HTTP/1.1 401 Authentication failed\r\n"));
		assert_int_equal(p.result, ERR_DENIED);
	}
	assert_int_equal(p.steps, 3);
	play_end(&p);
}

#define PKCS7                                                                                      \
	"<config-auth type=\"auth-reply\"><auth><client-cert-chain cert-store=\"1U\">"             \
	"<client-cert cert-format=\"pkcs7\">MIIB</client-cert></client-cert-chain></auth>"         \
	"</config-auth>"

/* protocol.md 4.16: what was sent is what must be signed, byte for byte. */
static void second_certificate_signs_the_document_it_was_asked_with(void **state)
{
	struct play p;
	const char *out, *body;

	(void)state;
	play_init(&p, no_rows);
	p.answer.kind = LOGIN_SECOND_CERT;
	memset(p.answer.nonce, 0xab, sizeof p.answer.nonce);
	out = play_run(&p, POST("/", "6", "a=b&c="));
	body = strstr(out, "\r\n\r\n");
	assert_non_null(body);
	assert_non_null(strstr(body, "<multiple-client-cert-request>"));
	assert_non_null(strstr(body, "<random>abababab"));
	body = talloc_strdup(p.ctx, body + 4);
	assert_int_equal(p.steps, 1);
	out = play_run(&p, POST("/auth", "164", PKCS7));
	assert_string_equal(p.seen_document, body);
	assert_string_equal(p.seen_second, "MIIB");
	assert_int_equal(p.steps, 3);
	assert_non_null(strstr(out, "id=\"success\""));
	play_end(&p);
}

static void old_openconnect_gets_a_bare_password_form(void **state)
{
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	text = play_run(&p,
			"GET / HTTP/1.1\r\nUser-Agent: Open AnyConnect VPN Agent v3.20\r\n\r\n");
	assert_non_null(strstr(text, "<auth id=\"main\">"));
	assert_non_null(strstr(text, "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
	assert_null(strstr(text, "config-auth"));
	p.answer.form.fields++;
	p.answer.form.n_fields = 1;
	text = play_run(&p,
			"GET / HTTP/1.1\r\nUser-Agent: Open AnyConnect VPN Agent v3.20\r\n\r\n");
	assert_non_null(strstr(text, "<auth id=\"passwd\">"));
	play_end(&p);
}

/* ---- CONNECT ---- */

static void answer_configures_the_client(void **state)
{
	static const char *const rows[] = { "dns",
					    "10.1.2.1",
					    "route",
					    "10.0.0.0/8",
					    "dpd",
					    "60",
					    "custom-header",
					    "X-User: %{U}",
					    "custom-header",
					    "X-Bad: %{Z}",
					    "rekey-method",
					    "ssl",
					    NULL };
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, rows);
	text = play_run(&p, CONNECT(COOKIE, "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"));
	assert_int_equal(p.result, ERR_OK);
	assert_int_equal(strncmp(text, "HTTP/1.1 200 CONNECTED\r\n", 24), 0);
	assert_non_null(strstr(text, "\r\nX-CSTP-Address: 10.1.2.3\r\n"));
	assert_non_null(strstr(text, "\r\nX-CSTP-Netmask: 255.255.255.0\r\n"));
	assert_non_null(strstr(text, "\r\nX-CSTP-DNS: 10.1.2.1\r\n"));
	assert_non_null(strstr(text, "\r\nX-CSTP-Split-Include: 10.0.0.0/255.0.0.0\r\n"));
	assert_non_null(strstr(text, "\r\nX-CSTP-DPD: 60\r\n"));
	assert_non_null(strstr(text, "\r\nX-User: ann\r\n"));
	assert_null(strstr(text, "X-Bad"));
	/* TLS 1.3: the server rekeys, the client is told a time that never comes. */
	assert_non_null(strstr(text, "\r\nX-CSTP-Rekey-Time: 31536000\r\n"));
	assert_true(p.plan->rekey_time >= 172800 && p.plan->rekey_time < 172830);
	assert_int_equal(p.plan->data_mtu, 1434);
	play_end(&p);
}

#define OFFERS                                                                                     \
	"X-CSTP-Accept-Encoding: lzs,oc-lz4\r\nX-DTLS-Accept-Encoding: lzs\r\n"                    \
	"X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"

/* protocol 79. */
static void compression_is_announced_only_when_asked_for_by_both_sides(void **state)
{
	static const char *const on[] = { "compression", "true", NULL };
	static const char *const on_lzs[] = { "compression", "true", "compression-algo-priority",
					      "lzs:100", NULL };
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	assert_null(strstr(play_run(&p, CONNECT(COOKIE, OFFERS)), "Content-Encoding"));
	assert_int_equal(p.plan->cstp_encoding | p.plan->dtls_encoding, CSTP_ENC_NONE);
	play_end(&p);
	play_init(&p, on);
	assert_null(strstr(play_run(&p, CONNECT(COOKIE, "")), "Content-Encoding"));
	text = play_run(&p, CONNECT(COOKIE, OFFERS));
	assert_non_null(strstr(text, "\r\nX-CSTP-Content-Encoding: oc-lz4\r\n"));
	assert_non_null(strstr(text, "\r\nX-DTLS-Content-Encoding: lzs\r\n"));
	assert_int_equal(p.plan->cstp_encoding, CSTP_ENC_LZ4);
	assert_int_equal(p.plan->dtls_encoding, CSTP_ENC_LZS);
	p.grant.udp = false;
	text = play_run(&p, CONNECT(COOKIE, OFFERS));
	assert_null(strstr(text, "X-DTLS-Content-Encoding"));
	assert_int_equal(p.plan->dtls_encoding, CSTP_ENC_NONE);
	play_end(&p);
	play_init(&p, on_lzs);
	text = play_run(&p, CONNECT(COOKIE, OFFERS));
	assert_non_null(strstr(text, "\r\nX-CSTP-Content-Encoding: lzs\r\n"));
	play_end(&p);
}

static void mobile_clients_get_their_own_timers(void **state)
{
	static const char *const rows[] = { "dpd", "60", "mobile-dpd", "600", NULL };
	struct play p;

	(void)state;
	play_init(&p, rows);
	assert_non_null(strstr(play_run(&p, CONNECT(COOKIE, "X-CSTP-License: mobile\r\n")),
			       "\r\nX-CSTP-DPD: 600\r\n"));
	play_end(&p);
}

static void small_links_withdraw_ipv6(void **state)
{
	struct play p;
	const char *text;

	(void)state;
	play_init(&p, no_rows);
	assert_int_equal(addr_net_parse("fd00::5/128", &p.grant.v6), ERR_OK);
	text = play_run(&p, CONNECT(COOKIE, "X-CSTP-Base-MTU: 1280\r\n"));
	assert_null(strstr(text, "X-CSTP-Address-IP6"));
	assert_int_equal(p.plan->v6.addr.family, 0);
	text = play_run(&p, CONNECT(COOKIE, "X-CSTP-Base-MTU: 1500\r\n"));
	assert_non_null(strstr(text, "\r\nX-CSTP-Address-IP6: fd00::5/128\r\n"));
	/* Nothing is left to announce. */
	p.grant.v4.addr.family = 0;
	p.plan = NULL;
	text = play_run(&p, CONNECT(COOKIE, "X-CSTP-Base-MTU: 1280\r\n"));
	assert_non_null(strstr(text, "HTTP/1.1 503 Service Unavailable\r\n"));
	play_end(&p);
}

static void absurd_mtu_headers_change_nothing(void **state)
{
	static const char *const values[] = { "0",	    "1",     "30",
					      "799",	    "65536", "-1",
					      "4294967295", "x",     "99999999999999999999" };
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		char text[1024];
		snprintf(text, sizeof text,
			 CONNECT(COOKIE, "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s\r\n"), values[i],
			 values[i]);
		play_run(&p, text);
		assert_non_null(p.plan);
		assert_int_equal(p.plan->data_mtu, 1434);
	}
	play_end(&p);
}

static void no_udp_offers_no_dtls(void **state)
{
	static const char *const rows[] = { "no-udp", "true", NULL };
	struct play p;

	(void)state;
	play_init(&p, rows);
	assert_null(strstr(play_run(&p, CONNECT(COOKIE, "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n")),
			   "X-DTLS"));
	play_end(&p);
}

static void refusals_are_worded_for_the_client(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, no_rows);
	assert_non_null(strstr(play_run(&p, CONNECT("", "")), "HTTP/1.1 503 "));
	assert_non_null(strstr(play_run(&p, CONNECT("Cookie: a=1; webvpn=zz\r\n", "")),
			       "HTTP/1.1 401 Cookie is not acceptable\r\n"));
	p.grant = (struct tunnel_grant){ .status = 503, .reason = "No address" };
	assert_non_null(strstr(play_run(&p, CONNECT(COOKIE, "")), "\r\nX-Reason: No address\r\n"));
	p.grant = (struct tunnel_grant){ .status = 401, .reason = "" };
	assert_non_null(strstr(play_run(&p, CONNECT(COOKIE, "")),
			       "HTTP/1.1 401 Cookie is not acceptable\r\n"));
	assert_int_equal(p.result, ERR_DENIED);
	assert_non_null(strstr(play_run(&p, "CONNECT /other HTTP/1.1\r\n" COOKIE "\r\n"),
			       "HTTP/1.1 404 Not found\r\n"));
	play_end(&p);
}

/* ---- priorities and ends ---- */

static void unwritten_priorities_are_modern(void **state)
{
	static const char *const own[] = { "tls-priorities", "NORMAL", NULL };
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_string_equal(
		image_priorities(ctx, conf_of(ctx, no_rows)->host[0]),
		"NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1");
	assert_string_equal(image_priorities(ctx, conf_of(ctx, own)->host[0]), "NORMAL");
	talloc_free(ctx);
}

static void only_wilful_ends_destroy_the_session(void **state)
{
	(void)state;
	assert_false(tunnel_end_keeps(tunnel_end_reason(PATH_END_USER), false));
	assert_false(tunnel_end_keeps(tunnel_end_reason(PATH_END_SESSION_TIMEOUT), true));
	assert_false(tunnel_end_keeps(END_REASON__END_ADMIN, true));
	assert_true(tunnel_end_keeps(tunnel_end_reason(PATH_END_PAUSE), false));
	assert_true(tunnel_end_keeps(tunnel_end_reason(PATH_END_CLOSED), false));
	assert_true(tunnel_end_keeps(tunnel_end_reason(PATH_END_DPD), false));
	assert_true(tunnel_end_keeps(tunnel_end_reason(PATH_END_IDLE), true));
	assert_true(tunnel_end_keeps(tunnel_end_reason(PATH_END_STALLED), false));
	assert_true(tunnel_end_keeps(END_REASON__END_TAKEOVER, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_documents_are_found_by_the_get_rules),
		cmocka_unit_test(path_becomes_a_group_name),
		cmocka_unit_test(unknown_get_is_404_and_unknown_post_a_login),
		cmocka_unit_test(login_paths_go_on_with_a_slash_in_gets),
		cmocka_unit_test(browsers_see_a_page_without_words),
		cmocka_unit_test(whoever_does_not_wait_for_the_answer_gets_none),
		cmocka_unit_test(logout_needs_the_ticket),
		cmocka_unit_test(context_of_the_connection_goes_on_without_a_cookie),
		cmocka_unit_test(success_carries_all_cookies_and_the_banner),
		cmocka_unit_test(after_the_ticket_unknown_posts_are_404),
		cmocka_unit_test(malformed_documents_are_refused_for_good),
		cmocka_unit_test(challenge_goes_on_and_names_the_fallback),
		cmocka_unit_test(kerberos_messages_go_to_the_kdc_and_back),
		cmocka_unit_test(kdc_that_is_silent_gives_502_and_the_client_may_go_on),
		cmocka_unit_test(malformed_kerberos_is_counted_and_refused),
		cmocka_unit_test(path_of_the_kdc_is_exact_and_takes_posts_only),
		cmocka_unit_test(phones_log_in_with_a_form_or_basic_authentication),
		cmocka_unit_test(phones_that_prove_nothing_get_401),
		cmocka_unit_test(second_certificate_signs_the_document_it_was_asked_with),
		cmocka_unit_test(old_openconnect_gets_a_bare_password_form),
		cmocka_unit_test(answer_configures_the_client),
		cmocka_unit_test(compression_is_announced_only_when_asked_for_by_both_sides),
		cmocka_unit_test(mobile_clients_get_their_own_timers),
		cmocka_unit_test(small_links_withdraw_ipv6),
		cmocka_unit_test(absurd_mtu_headers_change_nothing),
		cmocka_unit_test(no_udp_offers_no_dtls),
		cmocka_unit_test(refusals_are_worded_for_the_client),
		cmocka_unit_test(unwritten_priorities_are_modern),
		cmocka_unit_test(only_wilful_ends_destroy_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
