/* test_occtl.c - what occtl prints: intervals, amounts, records, JSON (admin.md 6.6-6.13). */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/status.h"
#include "ctl/text.h"
#include "ctl/user.h"

enum { NOW = 1795330897 }; /* 2026-11-22 07:01 in the zone that main() sets */

static void intervals_have_their_forms(void **state)
{
	static const struct {
		int64_t age;
		const char *text;
	} row[] = {
		{ 0, "    0s" },      { 3, "    3s" },	    { 60, "   60s" },
		{ 61, " 1m:01s" },    { 70, " 1m:10s" },    { 3599, "59m:59s" },
		{ 3600, " 1h:00m" },  { 18420, " 5h:07m" }, { 172799, "47h:59m" },
		{ 172800, " 2days" }, { 259200, " 3days" }, { -1, "   ?   " },
	};
	char text[FMT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(fmt_interval(row[i].age, text), row[i].text);
}

static void amounts_go_in_steps_of_a_thousand(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} row[] = {
		{ 0, "0 bytes" },	  { 488, "488 bytes" },		  { 999, "999 bytes" },
		{ 1000, "1.0 kB" },	  { 40000, "40.0 kB" },		  { 1234567, "1.2 MB" },
		{ 5000000000, "5.0 GB" }, { 7000000000000, "7000.0 GB" },
	};
	char text[FMT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(fmt_amount(row[i].bytes, text), row[i].text);
	assert_string_equal(fmt_rate(40000, text), "40.0 kB/s");
	assert_true(strlen(fmt_rate(UINT64_MAX, text)) < FMT_TEXT);
}

static void dates_go_beyond_2038(void **state)
{
	char text[FMT_TEXT];

	(void)state;
	assert_string_equal(fmt_date(NOW, text), "2026-11-22 07:01");
	assert_string_equal(fmt_date(4102444800, text), "2100-01-01 00:00");
}

/* ---- text ---- */

static void texts_of_clients_cannot_steer_the_terminal(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_string_equal(text_safe(ctx, "a\033[2Jb\n\x7f \xc3\xa4"),
			    "a\\x1b[2Jb\\x0a\\x7f \xc3\xa4");
	assert_string_equal(text_safe(ctx, "x\xc2\x9bz"), "x\\x9bz");	   /* CSI in UTF-8 */
	assert_string_equal(text_safe(ctx, "x\x9bz\xc3"), "x\\x9bz\\xc3"); /* and in Latin-1 */
	assert_string_equal(text_safe(ctx, "a\xe2\x80\xae"
					   "b"),
			    "a\\u202eb"); /* right to left */
	assert_string_equal(text_safe(ctx, ""), "");
	assert_string_equal(fmt_cipher("(DTLS1.2)-(PSK)-(AES-256-GCM)"), "(AES-256-GCM)");
	assert_string_equal(fmt_cipher("plain"), "plain");
	talloc_free(ctx);
}

static void only_the_shortest_form_is_utf8(void **state)
{
	static const struct {
		const char *text;
		uint32_t c;
	} row[] = {
		{ "a", 'a' },
		{ "\xc3\xa4", 0xe4 },
		{ "\xe2\x82\xac", 0x20ac },
		{ "\xf0\x9f\x98\x80", 0x1f600 },
		{ "\xc0\x9b", TEXT_INVALID | 0xc0 },	     /* ESC in two bytes */
		{ "\xe0\x80\x9b", TEXT_INVALID | 0xe0 },     /* and in three */
		{ "\xed\xa0\x80", TEXT_INVALID | 0xed },     /* half of a surrogate pair */
		{ "\xf4\x90\x80\x80", TEXT_INVALID | 0xf4 }, /* beyond the last character */
		{ "\xe2\x82", TEXT_INVALID | 0xe2 },	     /* cut off */
		{ "\x80", TEXT_INVALID | 0x80 },
		{ "\xff", TEXT_INVALID | 0xff },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const char *p = row[i].text;
		assert_int_equal(text_next(&p), row[i].c);
		if (row[i].c & TEXT_INVALID)
			assert_ptr_equal(p, row[i].text + 1);
		else
			assert_int_equal(*p, 0);
	}
}

static void text_is_measured_and_cut_in_columns(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_int_equal(text_width("J\xc3\xb6rg"), 4);
	assert_int_equal(text_width("\xe6\x9d\xb1\xe4\xba\xac"), 4); /* two wide ones */
	assert_string_equal(text_cut(ctx, "J\xc3\xb6rgen", 6, "~"), "J\xc3\xb6rgen");
	assert_string_equal(text_cut(ctx, "J\xc3\xb6rgen", 3, "~"), "J\xc3\xb6~");
	assert_string_equal(text_cut(ctx, "\xe6\x9d\xb1\xe4\xba\xac", 3, ""), "\xe6\x9d\xb1");
	assert_string_equal(text_cut(ctx, "abc", 0, ""), "");
	talloc_free(ctx);
}

/* ---- a user ---- */

static char *routes[] = { (char[]){ "10.11.0.0/255.255.0.0" }, (char[]){ "fd12::/32" } };
static char *dns[] = { (char[]){ "192.168.199.1" }, (char[]){ "fd91::53" } };

#define TEXT(s) ((char *)(uintptr_t)(s))

static CtlUser sample(void)
{
	CtlUser u = CTL_USER__INIT;

	u.id = 3713;
	u.username = TEXT("test");
	u.groupname = TEXT("group1");
	u.state = TEXT("connected");
	u.vhost = TEXT("default");
	u.device = TEXT("vpnbb0");
	u.mtu = 1434;
	u.remote_ip = u.local_ip = TEXT("127.0.0.1");
	u.ipv4 = TEXT("192.168.199.190");
	u.ipv4_server = TEXT("192.168.199.1");
	u.ipv6 = TEXT("fd91::6cef");
	u.ipv6_server = TEXT("fd91::1");
	u.user_agent = TEXT("Open AnyConnect VPN Agent v9.01-3");
	u.limit_rx = 40000;
	u.tx = 488;
	u.dpd = 90;
	u.keepalive = 32400;
	u.hostname = TEXT("mylaptop");
	u.connected_at = u.session_started_at = NOW - 3;
	u.sid = TEXT("ndhD0Cgf733dMtj0EEKI1Ts/inY=");
	u.tls_cipher = TEXT("(TLS1.3)-(ECDHE-SECP256R1)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)");
	u.dtls_cipher = TEXT("(DTLS1.2)-(PSK)-(AES-256-GCM)");
	u.dns = dns;
	u.n_dns = 2;
	u.route = routes;
	u.n_route = 2;
	return u;
}

/* What is printed between begin() and shown(), at NOW. */
struct shown {
	struct view v;
	char *text;
	size_t len;
};

static void begin(struct shown *s, size_t width)
{
	*s = (struct shown){ .v = { .now = NOW, .width = width, .more = "~" } };
	s->v.ctx = talloc_new(NULL);
	s->v.out = open_memstream(&s->text, &s->len);
}

static const char *shown(struct shown *s)
{
	fflush(s->v.out);
	return s->text;
}

static void end(struct shown *s)
{
	fclose(s->v.out);
	free(s->text);
	talloc_free(s->v.ctx);
}

static const char record[] =
	"\tID: 3713\n"
	"\tUsername: test   Groupname: group1\n"
	"\tState: connected\n"
	"\tvhost: default\n"
	"\tDevice: vpnbb0   MTU: 1434\n"
	"\tRemote IP: 127.0.0.1   Location: unknown\n"
	"\tLocal Device IP: 127.0.0.1\n"
	"\tIPv4: 192.168.199.190   P-t-P IPv4: 192.168.199.1\n"
	"\tIPv6: fd91::6cef   P-t-P IPv6: fd91::1\n"
	"\tUser-Agent: Open AnyConnect VPN Agent v9.01-3\n"
	"\tLimit RX: 40.0 kB/s\n"
	"\tRX: 0 (0 bytes)   TX: 488 (488 bytes)\n"
	"\tAverage bandwidth RX: 0 bytes/s  TX: 162 bytes/s\n"
	"\tDPD: 90   KeepAlive: 32400\n"
	"\tHostname: mylaptop\n"
	"\tLast connected at: 2026-11-22 07:01 (    3s)\n"
	"\tSession started at: 2026-11-22 07:01 (    3s)\n"
	"\tSession: ndhD0C\n"
	"\tTLS ciphersuite: (TLS1.3)-(ECDHE-SECP256R1)-(RSA-PSS-RSAE-SHA256)-(AES-256-GCM)\n"
	"\tDTLS cipher: (DTLS1.2)-(PSK)-(AES-256-GCM)\n"
	"\n"
	"\tDNS: 192.168.199.1\n"
	"\t\tfd91::53\n"
	"\tRoutes: 10.11.0.0/255.255.0.0\n"
	"\t\tfd12::/32\n"
	"\tRestricted to routes: False\n"
	"\n";

static void a_user_record_is_printed_as_specified(void **state)
{
	CtlUser u = sample();
	struct shown s;

	(void)state;
	begin(&s, 0);
	user_print(&s.v, &u);
	assert_string_equal(shown(&s), record);
	end(&s);
	begin(&s, 200);
	user_print(&s.v, &u);
	assert_string_equal(shown(&s), record);
	end(&s);
}

/* Every line of TEXT fits WIDTH columns. */
static void assert_narrow(const char *text, size_t width)
{
	while (*text) {
		size_t length = strcspn(text, "\n"), tabs = strspn(text, "\t");
		assert_true(length + 7 * tabs <= width);
		text += length + 1;
	}
}

static void a_narrow_terminal_folds_a_record_and_loses_nothing(void **state)
{
	CtlUser u = sample();
	struct shown s;

	(void)state;
	u.groupname =
		TEXT("a group whose name alone takes more than half of the line, and then more");
	begin(&s, 80);
	user_print(&s.v, &u);
	assert_narrow(shown(&s), 80);
	assert_non_null(strstr(shown(&s), "\tUsername: test\n\tGroupname: a group whose name"));
	assert_non_null(strstr(shown(&s), "-(AES-\n\t\t256-GCM)\n"));
	assert_non_null(strstr(shown(&s), "\tDevice: vpnbb0   MTU: 1434\n"));
	end(&s);
}

static void print_one(const struct view *v, const CtlUser *u)
{
	struct table *t = user_table(v);

	user_row(v, t, u);
	table_print(t, false);
}

static void print_rows(const struct view *v)
{
	struct table *t = user_table(v);
	CtlUser u = sample();

	user_row(v, t, &u);
	u.dtls_cipher = TEXT("");
	u.username = TEXT("");
	u.ipv4 = TEXT("");
	user_row(v, t, &u);
	table_print(t, false);
}

static const char rows[] =
	"      id     user    vhost             ip         vpn-ip device   since    "
	"dtls-cipher    status\n"
	"    3713     test  default      127.0.0.1 192.168.199.190 vpnbb0     3s  "
	"(AES-256-GCM) connected\n"
	"    3713   (none)  default      127.0.0.1     fd91::6cef vpnbb0     3s      "
	"(no-dtls) connected\n";

static void user_rows_are_printed_as_specified(void **state)
{
	struct shown s;

	(void)state;
	begin(&s, 0);
	print_rows(&s.v);
	assert_string_equal(shown(&s), rows);
	end(&s);
	begin(&s, 200);
	print_rows(&s.v);
	assert_string_equal(shown(&s), rows);
	end(&s);
}

static void a_narrow_terminal_gets_shorter_cells_and_whole_addresses(void **state)
{
	struct shown s;
	CtlUser u = sample();

	(void)state;
	begin(&s, 80);
	u.username = TEXT("someone@with.a.very.long.name.example");
	u.dtls_cipher = TEXT("(DTLS1.2)-(PSK)-(CHACHA20-POLY1305)");
	u.id = 4194303;
	u.remote_ip = TEXT("203.113.113.113");
	print_one(&s.v, &u);
	assert_narrow(shown(&s), 80);
	assert_non_null(strstr(shown(&s), "4194303 som~ "));
	assert_non_null(strstr(shown(&s), " 203.113.113.113 192.168.199.190 vpnbb0     3s "));
	end(&s);
}

static void a_table_without_rows_has_no_heading_either(void **state)
{
	struct shown s;

	(void)state;
	begin(&s, 80);
	table_print(user_table(&s.v), false);
	assert_string_equal(shown(&s), "");
	table_print(user_table(&s.v), true);
	assert_memory_equal(shown(&s), "id user vhost", 13);
	end(&s);
}

static void cells_cannot_steer_the_terminal(void **state)
{
	struct shown s;
	CtlUser u = sample();

	(void)state;
	begin(&s, 80);
	u.username = u.vhost = u.device = u.tls_cipher = u.dtls_cipher = u.hostname = u.user_agent =
		u.groupname = TEXT("\033]0;x\a\r");
	print_one(&s.v, &u);
	user_print(&s.v, &u);
	assert_null(strpbrk(shown(&s), "\033\a\r"));
	end(&s);
}

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void a_user_object_has_the_specified_keys_and_types(void **state)
{
	static const char *const order[] = {
		"ID",
		"Username",
		"Groupname",
		"State",
		"vhost",
		"Device",
		"MTU",
		"Remote IP",
		"Location",
		"Local Device IP",
		"IPv4",
		"P-t-P IPv4",
		"IPv6",
		"P-t-P IPv6",
		"User-Agent",
		"Limit RX",
		"RX",
		"TX",
		"_RX",
		"_TX",
		"Average RX",
		"Average TX",
		"DPD",
		"KeepAlive",
		"Hostname",
		"Last connected at",
		"_Last connected at",
		"Session started at",
		"_Session started at",
		"raw_connected_at",
		"raw_session_started_at",
		"Full session",
		"Session",
		"TLS ciphersuite",
		"DTLS cipher",
		"DNS",
		"NBNS",
		"Split-DNS-Domains",
		"Routes",
		"No-routes",
		"iRoutes",
		"Restricted to routes",
		"Restricted to ports",
	};
	struct view v = { .ctx = talloc_new(NULL), .now = NOW };
	CtlUser u = sample();
	const char *key;
	json_t *o, *value;
	size_t i = 0;

	(void)state;
	u.restrict_to_ports = TEXT("tcp(443), icmp()");
	o = user_json(&v, &u);
	json_object_foreach(o, key, value) assert_string_equal(key, order[i++]);
	assert_int_equal(i, sizeof order / sizeof order[0]);
	assert_int_equal(json_integer_value(json_object_get(o, "ID")), 3713);
	assert_string_equal(text_of(o, "MTU"), "1434");
	assert_string_equal(text_of(o, "TX"), "488");
	assert_string_equal(text_of(o, "_TX"), "488 bytes");
	assert_int_equal(json_integer_value(json_object_get(o, "raw_connected_at")), NOW - 3);
	assert_string_equal(text_of(o, "Session"), "ndhD0C");
	assert_int_equal(json_array_size(json_object_get(o, "NBNS")), 0);
	assert_int_equal(json_array_size(json_object_get(o, "Restricted to ports")), 2);
	json_decref(o);
	talloc_free(v.ctx);
}

static void a_default_route_and_odd_bytes_make_valid_json(void **state)
{
	struct view v = { .ctx = talloc_new(NULL), .now = NOW };
	CtlUser u = sample();
	json_t *o;

	(void)state;
	u.n_route = 0;
	u.user_agent = TEXT("bad \xff \"agent\"\x01");
	u.hostname = TEXT("");
	o = user_json(&v, &u);
	assert_string_equal(text_of(o, "Routes"), "defaultroute");
	assert_string_equal(text_of(o, "User-Agent"), "bad ? \"agent\"\x01");
	assert_null(json_object_get(o, "Hostname"));
	json_decref(o);
	u.device = TEXT(""); /* not connected yet */
	o = user_json(&v, &u);
	assert_true(json_is_array(json_object_get(o, "Routes")));
	u.dpd = 0;
	json_decref(o);
	o = user_json(&v, &u);
	assert_string_equal(text_of(o, "DPD"), "0");
	json_decref(o);
	talloc_free(v.ctx);
}

#define STEERING "\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81\"\\"

static void an_array_is_json_with_any_number_of_elements(void **state)
{
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		struct shown s;
		struct js_array list;
		json_t *back;

		begin(&s, 0);
		list = (struct js_array){ .out = s.v.out };
		for (size_t i = 0; i < n; i++)
			js_array_add(&list, json_pack("{s:s}", "key", STEERING));
		js_array_end(&list);
		back = json_loads(shown(&s), JSON_REJECT_DUPLICATES, NULL);
		assert_int_equal(json_array_size(back), n);
		assert_null(strpbrk(shown(&s), "\x7f\xc2\xe2\xf3"));
		if (n)
			assert_string_equal(text_of(json_array_get(back, n - 1), "key"), STEERING);
		json_decref(back);
		end(&s);
	}
}

/* ---- status ---- */

static void the_status_is_printed_as_specified(void **state)
{
	CtlStatus s = CTL_STATUS__INIT;
	struct shown out;
	const char *text;
	ServerKey key = SERVER_KEY__INIT, *list[] = { &key };
	ServerKeys keys = SERVER_KEYS__INIT;

	(void)state;
	begin(&out, 0);
	key.vhost = (char[]){ "default" };
	key.pin = (char[]){ "pin-sha256:abc=" };
	keys.key = list;
	keys.n_key = 1;
	s.keys = &keys;
	s.main_pid = 3268;
	s.auth_pid = 3270;
	s.auth_instances = 1;
	s.up_since = s.stats_since = NOW - 2;
	s.max_session_time = 2;
	s.min_mtu = s.max_mtu = 1434;
	s.rx_bytes = 1999;
	status_print(&out.v, &s, -1);
	text = shown(&out);
	assert_non_null(strstr(text, "\n\nGeneral info:\n\tStatus: online\n\tServer PID: 3268\n"
				     "\tSec-mod PID: 3270\n\tSec-mod instance count: 1\n"
				     "\tUp since: 2026-11-22 07:01 (    2s)\n"
				     "\tActive sessions: 0\n\tTotal sessions: 0\n"
				     "\tTotal authentication failures: 0\n"
				     "\tIPs in ban list: 0\n"
				     "\tKey of default: pin-sha256:abc=\n\nCurrent stats period:\n"
				     "\tLast stats reset: 2026-11-22 07:01 (    2s)\n"
				     "\tSessions handled: 0\n\tTimed out sessions: 0\n"));
	assert_non_null(strstr(text, "\tMax session time:  2m:00s\n\tMin MTU: 1434\n"
				     "\tMax MTU: 1434\n\tRX: 1.0 kB\n\tTX: 0 bytes\n"));
	assert_null(strstr(text, "entries"));
	status_print(&out.v, &s, 5);
	assert_non_null(strstr(shown(&out), "\tIPs in ban list: 0\n\tSec-mod client entries: 5\n"
					    "\tTLS DB entries: 0\n"
					    "\tKey of default: pin-sha256:abc=\n\n"));
	end(&out);
}

static void the_status_object_has_integers_where_specified(void **state)
{
	static const char *const integer[] = {
		"Server PID",
		"Sec-mod PID",
		"Sec-mod instance count",
		"raw_up_since",
		"uptime",
		"Active sessions",
		"Total sessions",
		"Total authentication failures",
		"IPs in ban list",
		"raw_last_stats_reset",
		"Sessions handled",
		"Timed out sessions",
		"Timed out (idle) sessions",
		"Closed due to error sessions",
		"Authentication failures",
		"raw_avg_auth_time",
		"raw_max_auth_time",
		"raw_avg_session_time",
		"raw_max_session_time",
		"raw_rx",
		"raw_tx",
	};
	struct view v = { .now = NOW };
	CtlStatus s = CTL_STATUS__INIT;
	json_t *o;

	(void)state;
	s.up_since = NOW - 60;
	s.avg_session_time = 3;
	s.max_session_time = 4;
	s.max_auth_time = 5;
	s.idle_timeouts = 6;
	s.session_timeouts = 7;
	o = status_json(&v, &s, -1);
	for (size_t i = 0; i < sizeof integer / sizeof integer[0]; i++)
		assert_true(json_is_integer(json_object_get(o, integer[i])));
	assert_string_equal(text_of(o, "Status"), "online");
	assert_int_equal(json_integer_value(json_object_get(o, "uptime")), 60);
	assert_int_equal(json_integer_value(json_object_get(o, "raw_avg_session_time")), 180);
	assert_int_equal(json_integer_value(json_object_get(o, "raw_max_session_time")), 240);
	assert_int_equal(json_integer_value(json_object_get(o, "raw_max_auth_time")), 5);
	assert_int_equal(json_integer_value(json_object_get(o, "Timed out (idle) sessions")), 6);
	assert_int_equal(json_integer_value(json_object_get(o, "Timed out sessions")), 7);
	assert_null(json_object_get(o, "Min MTU"));
	assert_null(json_object_get(o, "TLS DB entries"));
	assert_int_equal(json_array_size(json_object_get(o, "Server keys")), 0);
	json_decref(o);
	o = status_json(&v, &s, 3);
	assert_true(json_is_integer(json_object_get(o, "TLS DB entries")));
	assert_int_equal(json_integer_value(json_object_get(o, "Sec-mod client entries")), 3);
	json_decref(o);
}

/* ---- sessions ---- */

static void a_session_is_printed_as_specified(void **state)
{
	SessionRow s = SESSION_ROW__INIT;
	Session in = SESSION__INIT;
	Endpoint remote = ENDPOINT__INIT;
	struct shown out;
	struct table *t;
	json_t *o;

	(void)state;
	begin(&out, 0);
	remote.addr.data = (uint8_t *)(uintptr_t) "\x7f\0\0\x01";
	remote.addr.len = 4;
	in.sid = TEXT("ndhD0Cgf733dMtj0EEKI1Ts/inY=");
	in.user = TEXT("test");
	in.vhost = TEXT("default");
	in.user_agent = TEXT("Open AnyConnect VPN Agent v9.01-3");
	in.remote = &remote;
	s.session = &in;
	s.created = NOW;
	s.state = TEXT("authenticated");
	s.in_use = 1;
	s.is_open = true;
	session_print(&out.v, &s);
	s.expires = NOW + 300;
	out.v.now = NOW + 3;
	t = session_table(&out.v);
	session_row(&out.v, t, &s);
	table_print(t, false);
	assert_string_equal(shown(&out),
			    "\tSession: ndhD0C\n"
			    "\tFull session ID: ndhD0Cgf733dMtj0EEKI1Ts/inY=\n"
			    "\tCreated: 2026-11-22 07:01\n"
			    "\tState: authenticated\n"
			    "\tUsername: test   Groupname: (none)\n"
			    "\tvhost: default   User-Agent: Open AnyConnect VPN Agent v9.01-3\n"
			    "\tRemote IP: 127.0.0.1   Location: unknown\n"
			    "\tIn use: True   Activated: True\n"
			    "\tCertificate auth: False\n"
			    "session     user    vhost             ip               user agent  "
			    "created   status\n"
			    "ndhD0C     test  default      127.0.0.1 Open AnyConnect VPN Agen "
			    "      3s authenticated\n");
	o = session_json(&out.v, &s);
	assert_string_equal(text_of(o, "Expires"), "2026-11-22 07:06");
	assert_int_equal(json_integer_value(json_object_get(o, "in_use")), 1);
	json_decref(o);
	end(&out);
}

static void session_ids_are_base64_and_match_by_their_beginning(void **state)
{
	SessionRow s = SESSION_ROW__INIT;
	Session in = SESSION__INIT;

	(void)state;
	in.sid = TEXT("ndhD0Cgf733dMtj0EEKI1Ts/inY=");
	s.session = &in;
	assert_true(session_has_prefix(&s, "ndhD0C"));
	assert_true(session_has_prefix(&s, in.sid));
	assert_false(session_has_prefix(&s, "ndhD0D"));
	assert_true(session_is_id(in.sid));
	assert_false(session_is_id(""));
	assert_false(session_is_id("a b"));
	assert_false(session_is_id("ndhD0Cgf733dMtj0EEKI1Ts/inY=x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_have_their_forms),
		cmocka_unit_test(amounts_go_in_steps_of_a_thousand),
		cmocka_unit_test(dates_go_beyond_2038),
		cmocka_unit_test(texts_of_clients_cannot_steer_the_terminal),
		cmocka_unit_test(only_the_shortest_form_is_utf8),
		cmocka_unit_test(text_is_measured_and_cut_in_columns),
		cmocka_unit_test(a_user_record_is_printed_as_specified),
		cmocka_unit_test(a_narrow_terminal_folds_a_record_and_loses_nothing),
		cmocka_unit_test(user_rows_are_printed_as_specified),
		cmocka_unit_test(a_narrow_terminal_gets_shorter_cells_and_whole_addresses),
		cmocka_unit_test(a_table_without_rows_has_no_heading_either),
		cmocka_unit_test(cells_cannot_steer_the_terminal),
		cmocka_unit_test(a_user_object_has_the_specified_keys_and_types),
		cmocka_unit_test(a_default_route_and_odd_bytes_make_valid_json),
		cmocka_unit_test(an_array_is_json_with_any_number_of_elements),
		cmocka_unit_test(the_status_is_printed_as_specified),
		cmocka_unit_test(the_status_object_has_integers_where_specified),
		cmocka_unit_test(a_session_is_printed_as_specified),
		cmocka_unit_test(session_ids_are_base64_and_match_by_their_beginning),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
