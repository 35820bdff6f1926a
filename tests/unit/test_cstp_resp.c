/* test_cstp_resp.c - the CONNECT response for each kind of client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/cstp_resp.h"

/* A list of string literals. */
#define LIST(...)                                                                                  \
	(&(struct strv){ .item = (char **)(uintptr_t)(const char *[]){ __VA_ARGS__ },              \
			 .n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) })

struct fixture {
	struct buf b;
	struct strv no_security;
	struct cstp_response r;
};

static struct addr_net net(const char *text)
{
	struct addr_net n = { 0 };

	assert_int_equal(addr_net_parse(text, &n), ERR_OK);
	return n;
}

/* A dual-stack openconnect client, everything optional off. */
static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	buf_init(&f->b, f, CSTP_RESPONSE_MAX);
	f->r.agent.class = CLIENT_OPENCONNECT;
	f->r.full_ipv6 = true;
	f->r.v4 = net("10.20.0.17/16");
	f->r.v6 = net("fd00:20::17/64");
	f->r.base_mtu = 1500;
	f->r.mtu = 1434;
	f->r.security = &f->no_security;
	memset(f->r.app_id, 0xab, sizeof f->r.app_id);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static const char *build(struct fixture *f)
{
	buf_reset(&f->b);
	cstp_response_build(&f->b, &f->r);
	assert_false(f->b.failed);
	return buf_text(&f->b);
}

static bool has(struct fixture *f, const char *line)
{
	const char *at = strstr(build(f), line);

	return at && at[-1] == '\n' && at[strlen(line)] == '\r';
}

/* The example of protocol.md 5.3 in its order, with what this server always adds. */
static void the_example_of_the_specification_is_built(void **state)
{
	struct fixture *f = *state;

	f->r.dpd = 90;
	f->r.keepalive = 32400;
	f->r.default_domain = "corp.example.com";
	f->r.dns = LIST("10.20.0.1", "fd00:20::1");
	f->r.split_dns = LIST("corp.example.com");
	f->r.routes = LIST("10.0.0.0/255.0.0.0", "fd00::/16");
	f->r.rekey = CSTP_REKEY_SSL;
	f->r.rekey_time = 172786;
	f->r.dtls.mode = DTLS_PSK;
	f->r.dtls.header = "X-DTLS-CipherSuite";
	f->r.dtls.name = "PSK-NEGOTIATE";
	f->r.udp_port = 443;
	assert_string_equal(
		build(f),
		"HTTP/1.1 200 CONNECTED\r\nX-CSTP-Version: 1\r\nX-CSTP-DPD: 90\r\n"
		"X-CSTP-Default-Domain: corp.example.com\r\nX-CSTP-Address: 10.20.0.17\r\n"
		"X-CSTP-Netmask: 255.255.0.0\r\nX-CSTP-Address-IP6: fd00:20::17/64\r\n"
		"X-CSTP-DNS: 10.20.0.1\r\nX-CSTP-DNS: fd00:20::1\r\n"
		"X-CSTP-Split-DNS: corp.example.com\r\n"
		"X-CSTP-Split-Include: 10.0.0.0/255.0.0.0\r\n"
		"X-CSTP-Split-Include-IP6: fd00::/16\r\nX-CSTP-Tunnel-All-DNS: false\r\n"
		"X-CSTP-Client-Bypass-Protocol: false\r\nX-CSTP-Keepalive: 32400\r\n"
		"X-CSTP-Idle-Timeout: none\r\n"
		"X-CSTP-Rekey-Time: 172786\r\nX-CSTP-Rekey-Method: ssl\r\n"
		"X-CSTP-Session-Timeout: none\r\nX-CSTP-Disconnected-Timeout: none\r\n"
		"X-CSTP-Keep: true\r\nX-CSTP-TCP-Keepalive: true\r\nX-CSTP-License: accept\r\n"
		"X-DTLS-DPD: 90\r\nX-DTLS-Port: 443\r\nX-DTLS-Rekey-Time: 172796\r\n"
		"X-DTLS-Rekey-Method: ssl\r\nX-DTLS-Keepalive: 32400\r\n"
		"X-DTLS-App-ID: abababababababababababababababababababababababababababababababab"
		"\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\nX-CSTP-Base-MTU: 1500\r\n"
		"X-CSTP-MTU: 1434\r\n\r\n");
}

static void full_tunnel_has_no_includes(void **state)
{
	struct fixture *f = *state;

	assert_true(has(f, "X-CSTP-Tunnel-All-DNS: true"));
	f->r.routes = LIST("10.0.0.0/8", "default");
	f->r.no_routes = LIST("192.168.0.0/16", "0.0.0.0/32", "fd01::/16");
	assert_null(strstr(build(f), "Split-Include"));
	assert_true(has(f, "X-CSTP-Tunnel-All-DNS: true"));
	assert_true(has(f, "X-CSTP-Split-Exclude: 192.168.0.0/255.255.0.0"));
	assert_true(has(f, "X-CSTP-Split-Exclude-IP6: fd01::/16"));
	/* the local network comes first */
	assert_true(strstr(build(f), "Exclude: 0.0.0.0/255.255.255.255") <
		    strstr(build(f), "Exclude: 192.168"));
	f->r.routes = LIST("0.0.0.0/0");
	assert_null(strstr(build(f), "Split-Include"));
	f->r.routes = LIST("10.0.0.0/8", "::/0");
	assert_true(has(f, "X-CSTP-Split-Include: 10.0.0.0/255.0.0.0"));
	assert_true(has(f, "X-CSTP-Split-Include-IP6: ::/0"));
	assert_true(has(f, "X-CSTP-Tunnel-All-DNS: false"));
	f->r.tunnel_all_dns = true;
	assert_true(has(f, "X-CSTP-Tunnel-All-DNS: true"));
}

static void anyconnect_gets_ipv6_servers_by_their_own_name(void **state)
{
	struct fixture *f = *state;

	f->r.agent.class = CLIENT_ANYCONNECT;
	f->r.dns = LIST("10.20.0.1", "fd00:20::1");
	f->r.nbns = LIST("10.20.0.2");
	assert_true(has(f, "X-CSTP-DNS: 10.20.0.1"));
	assert_true(has(f, "X-CSTP-DNS-IP6: fd00:20::1"));
	assert_true(has(f, "X-CSTP-NBNS: 10.20.0.2"));
	assert_false(has(f, "X-CSTP-DNS: fd00:20::1"));
}

static void without_the_capability_ipv6_is_reduced(void **state)
{
	struct fixture *f = *state;

	f->r.full_ipv6 = false;
	f->r.dns = LIST("fd00:20::1", "10.20.0.1");
	f->r.routes = LIST("10.0.0.0/8", "fd00::/16");
	f->r.no_routes = LIST("fd01::/16");
	assert_null(strstr(build(f), "IP6"));
	assert_null(strstr(build(f), "DNS: fd00"));
	assert_true(has(f, "X-CSTP-Address: fd00:20::17"));
	assert_true(has(f, "X-CSTP-Netmask: fd00:20::/64"));
}

static void the_oldest_openconnect_gets_no_ipv6_routes(void **state)
{
	struct fixture *f = *state;

	f->r.agent.class = CLIENT_OCV3;
	f->r.dns = LIST("fd00:20::1");
	f->r.routes = LIST("fd00::/16");
	assert_true(has(f, "X-CSTP-Address-IP6: fd00:20::17/64"));
	assert_null(strstr(build(f), "Split-Include"));
	assert_null(strstr(build(f), "X-CSTP-DNS"));
}

static void a_family_that_is_not_assigned_is_not_configured(void **state)
{
	struct fixture *f = *state;

	f->r.dns = LIST("fd00:20::1", "10.20.0.1");
	f->r.routes = LIST("10.0.0.0/8", "fd00::/16");
	f->r.v6 = (struct addr_net){ 0 };
	assert_null(strstr(build(f), "fd00"));
	f->r.v6 = net("fd00:20::17/64");
	f->r.v4 = (struct addr_net){ 0 };
	assert_null(strstr(build(f), " 10."));
	assert_null(strstr(build(f), "X-CSTP-Netmask"));
}

static void apple_phones_get_all_of_ipv6(void **state)
{
	struct fixture *f = *state;

	f->r.agent = (struct client_agent){ .class = CLIENT_ANYCONNECT, .ios = true };
	assert_true(has(f, "X-CSTP-Split-Include-IP6: 2000::/3"));
	f->r.routes = LIST("10.0.0.0/8");
	assert_true(has(f, "X-CSTP-Split-Include-IP6: 2000::/3"));
	f->r.v6 = (struct addr_net){ 0 };
	assert_false(has(f, "X-CSTP-Split-Include-IP6: 2000::/3"));
}

static void legacy_dtls_uses_the_chosen_header_family(void **state)
{
	struct fixture *f = *state;

	f->r.dtls.mode = DTLS_LEGACY;
	f->r.dtls.header = "X-DTLS12-CipherSuite";
	f->r.dtls.name = "AES128-GCM-SHA256";
	assert_true(has(f, "X-DTLS12-CipherSuite: AES128-GCM-SHA256"));
	assert_true(has(f, "X-DTLS-Session-ID: "
			   "abababababababababababababababababababababababababababababababab"));
	assert_true(has(f, "X-DTLS-MTU: 1434"));
	assert_null(strstr(build(f), "App-ID"));
}

static void without_udp_no_dtls_header_is_sent(void **state)
{
	struct fixture *f = *state;

	f->r.dpd = 90;
	f->r.keepalive = 100;
	f->r.rekey = CSTP_REKEY_SSL;
	f->r.rekey_time = 100;
	f->r.dtls_encoding = "lzs";
	assert_null(strstr(build(f), "X-DTLS"));
}

static void times_and_rekey_are_announced(void **state)
{
	struct fixture *f = *state;

	f->r.idle_timeout = 1200;
	f->r.session_timeout = 3600;
	f->r.session_left = 0;
	f->r.rekey = CSTP_REKEY_NEW_TUNNEL;
	f->r.rekey_time = 86400;
	assert_true(has(f, "X-CSTP-Idle-Timeout: 1200"));
	assert_true(has(f, "X-CSTP-Session-Timeout: 3600"));
	assert_true(has(f, "X-CSTP-Session-Timeout-Remaining: 0"));
	assert_true(has(f, "X-CSTP-Rekey-Method: new-tunnel"));
	f->r.rekey_time = 0;
	assert_true(has(f, "X-CSTP-Rekey-Method: none"));
	assert_null(strstr(build(f), "Rekey-Time"));
}

static void optional_headers_appear_when_set(void **state)
{
	struct fixture *f = *state;

	f->r.hostname = "laptop7";
	f->r.server_name = "Sallyport";
	f->r.dyndns = f->r.client_bypass = f->r.smartcard_removal = true;
	f->r.pac_url = "http://x/p.pac";
	f->r.banner = "Hello\r\nX-Evil: 1";
	f->r.custom = LIST("X-My: a\nX-Evil: 1", "junk");
	f->r.cstp_encoding = "oc-lz4";
	f->r.security = NULL;
	assert_true(has(f, "X-CSTP-Hostname: laptop7"));
	assert_true(has(f, "X-CSTP-Server-Name: Sallyport"));
	assert_true(has(f, "X-CSTP-DynDNS: true"));
	assert_true(has(f, "X-CSTP-Client-Bypass-Protocol: true"));
	assert_true(has(f, "X-CSTP-Smartcard-Removal-Disconnect: true"));
	assert_true(has(f, "X-CSTP-MSIE-Proxy-PAC-URL: http://x/p.pac"));
	assert_true(has(f, "X-CSTP-MSIE-Proxy-Pac-URL: http://x/p.pac"));
	assert_true(has(f, "X-CSTP-Banner: HelloX-Evil: 1"));
	assert_true(has(f, "X-My: aX-Evil: 1"));
	assert_true(has(f, "X-CSTP-Content-Encoding: oc-lz4"));
	assert_true(has(f, "X-Frame-Options: deny"));
	assert_null(strstr(build(f), "junk"));
	assert_null(strstr(build(f), "\nX-Evil"));
}

static void what_clients_abort_on_is_never_built(void **state)
{
	struct fixture *f = *state;

	f->r.mtu = 0;
	cstp_response_build(&f->b, &f->r);
	assert_true(f->b.failed);
	buf_reset(&f->b);
	f->r.mtu = 1400;
	f->r.v4 = f->r.v6 = (struct addr_net){ 0 };
	cstp_response_build(&f->b, &f->r);
	assert_true(f->b.failed);
	buf_reset(&f->b);
	f->r.v4 = net("10.0.0.1/24");
	f->r.routes = LIST("10.0.0.0/8; reboot");
	cstp_response_build(&f->b, &f->r);
	assert_true(f->b.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_example_of_the_specification_is_built),
		T(full_tunnel_has_no_includes),
		T(anyconnect_gets_ipv6_servers_by_their_own_name),
		T(without_the_capability_ipv6_is_reduced),
		T(the_oldest_openconnect_gets_no_ipv6_routes),
		T(a_family_that_is_not_assigned_is_not_configured),
		T(apple_phones_get_all_of_ipv6),
		T(legacy_dtls_uses_the_chosen_header_family),
		T(without_udp_no_dtls_header_is_sent),
		T(times_and_rekey_are_announced),
		T(optional_headers_appear_when_set),
		T(what_clients_abort_on_is_never_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
