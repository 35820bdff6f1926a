/* test_radius_attrs.c - what attributes of a reply mean, and those of accounting records
 * (radius.md 3 and 5.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/radius_acct.h"
#include "auth/backend/radius_attrs.h"

struct rig {
	struct radius_attrs a;
	struct strv groups;
	size_t dropped, unfit;
	struct backend_pairs rows;
	struct radius_findings found;
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	r->a.ctx = r;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static void add_vendor(struct rig *r, uint32_t vendor, uint32_t type, enum radius_kind kind,
		       uint32_t number)
{
	radius_add(&r->a,
		   &(struct radius_attr){
			   .vendor = vendor, .type = type, .kind = kind, .number32 = number });
}

static void add_number(struct rig *r, uint32_t type, enum radius_kind kind, uint32_t number)
{
	add_vendor(r, RADIUS_NO_VENDOR, type, kind, number);
}

static void add_v6(struct rig *r, uint32_t type, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), ERR_OK);
	radius_add_addr(&r->a, 0, type, &addr);
}

static void add_prefix(struct rig *r, uint32_t type, const char *text)
{
	struct radius_attr a = { .type = type, .kind = RADIUS_PREFIX, .len = 18 };
	struct addr_net net;

	assert_int_equal(addr_net_parse(text, &net), ERR_OK);
	a.bytes[1] = net.prefix;
	memcpy(a.bytes + 2, net.addr.bytes, 16);
	radius_add(&r->a, &a);
}

/* ---- groups ---- */

static void take_groups(struct rig *r, char separator)
{
	r->groups = (struct strv){ .n = 0 };
	assert_int_equal(radius_groups(r, &r->a, separator, &r->groups, &r->dropped, &r->unfit),
			 ERR_OK);
}

static void class_is_one_group_or_a_list(void **state)
{
	struct rig *r = *state;

	radius_add_text(&r->a, RADIUS_CLASS, "OU=staff; admins;;staff;");
	radius_add_text(&r->a, RADIUS_CLASS, "whole;value");
	radius_add_text(&r->a, RADIUS_CLASS, "OU=a,b");
	take_groups(r, ';');
	assert_int_equal(r->groups.n, 4);
	assert_string_equal(r->groups.item[0], "staff");
	assert_string_equal(r->groups.item[1], " admins");
	assert_string_equal(r->groups.item[2], "whole;value");
	assert_string_equal(r->groups.item[3], "a,b");
	take_groups(r, ',');
	assert_int_equal(r->groups.n, 4);
	assert_string_equal(r->groups.item[0], "staff; admins;;staff;");
	assert_string_equal(r->groups.item[2], "a");
}

static void values_that_cannot_be_names_are_counted(void **state)
{
	struct rig *r = *state;
	char longest[BACKEND_GROUP_MAX + 2];

	memset(longest, 'x', sizeof longest - 1);
	longest[BACKEND_GROUP_MAX + 1] = '\0';
	radius_add_text(&r->a, RADIUS_CLASS, longest);
	radius_add_bytes(&r->a, RADIUS_CLASS, "a\0b", 3);
	radius_add_bytes(&r->a, RADIUS_CLASS, "a\nb", 3);
	radius_add_text(&r->a, RADIUS_CLASS, "OU=");
	radius_add_text(&r->a, RADIUS_CLASS, longest + 1);
	take_groups(r, ';');
	assert_int_equal(r->groups.n, 1);
	assert_int_equal(r->unfit, 3);
}

static void groups_beyond_512_are_dropped(void **state)
{
	struct rig *r = *state;
	char name[16];

	for (unsigned i = 0; i < BACKEND_GROUPS_MAX + 3; i++) {
		snprintf(name, sizeof name, "g%u", i);
		radius_add_text(&r->a, RADIUS_CLASS, name);
	}
	take_groups(r, ';');
	assert_int_equal(r->groups.n, BACKEND_GROUPS_MAX);
	assert_int_equal(r->dropped, 3);
}

/* ---- messages ---- */

static void messages_are_joined_and_made_safe(void **state)
{
	struct rig *r = *state;

	assert_null(radius_message(r, &r->a));
	radius_add_bytes(&r->a, RADIUS_REPLY_MESSAGE, "Gr\xc3", 3);
	radius_add_bytes(&r->a, RADIUS_REPLY_MESSAGE, "\xbc\xdf\n\x1b[0m\xff\xe2\x82", 10);
	assert_string_equal(radius_message(r, &r->a), "Gr\xc3\xbc?\n[0m???");
}

static void long_messages_are_cut(void **state)
{
	struct rig *r = *state;
	char text[200];

	memset(text, 'x', sizeof text);
	for (int i = 0; i < 5; i++)
		radius_add_bytes(&r->a, RADIUS_REPLY_MESSAGE, text, sizeof text);
	assert_int_equal(strlen(radius_message(r, &r->a)), BACKEND_TEXT_MAX);
}

/* ---- rows ---- */

static void expect_rows(struct rig *r, const char *const *wanted, size_t n)
{
	assert_int_equal(radius_rows(r, &r->a, &r->rows, &r->found), ERR_OK);
	for (size_t i = 0; i < r->rows.n && i < n; i++) {
		char *row = talloc_asprintf(r, "%s=%s", r->rows.item[i].key, r->rows.item[i].value);

		assert_string_equal(row, wanted[i]);
	}
	assert_int_equal(r->rows.n, n);
}

#define ROWS(...)                                                                                  \
	expect_rows(r, (const char *const[]){ __VA_ARGS__ },                                       \
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void settings_become_rows(void **state)
{
	struct rig *r = *state;

	add_vendor(r, RADIUS_ROARING_PENGUIN, RADIUS_RP_UPSTREAM_LIMIT, RADIUS_INTEGER, 16);
	add_vendor(r, RADIUS_ROARING_PENGUIN, RADIUS_RP_DOWNSTREAM_LIMIT, RADIUS_INTEGER,
		   UINT32_MAX);
	add_number(r, RADIUS_SESSION_TIMEOUT, RADIUS_INTEGER, 28800);
	add_number(r, RADIUS_ACCT_INTERIM_INTERVAL, RADIUS_INTEGER, 600);
	add_number(r, RADIUS_FRAMED_IP_ADDRESS, RADIUS_IPV4, 0x0a080032);
	add_number(r, RADIUS_FRAMED_IP_NETMASK, RADIUS_IPV4, 0xffffff00);
	ROWS("explicit-ipv4=10.8.0.50", "ipv4-netmask=255.255.255.0", "session-timeout=28800",
	     "stats-report-time=600", "rx-data-per-sec=16000", "tx-data-per-sec=4294967295000");
}

static void zero_and_odd_values_leave_the_host_s_setting(void **state)
{
	struct rig *r = *state;

	add_number(r, RADIUS_SESSION_TIMEOUT, RADIUS_INTEGER, 0);
	add_number(r, RADIUS_FRAMED_IP_ADDRESS, RADIUS_IPV4, 0xffffffff);
	add_number(r, RADIUS_FRAMED_IP_ADDRESS, RADIUS_IPV4, 0xfffffffe);
	add_number(r, RADIUS_FRAMED_IP_NETMASK, RADIUS_IPV4, 0xff00ff00);
	add_number(r, RADIUS_FRAMED_IP_NETMASK, RADIUS_IPV4, 0);
	add_number(r, RADIUS_SESSION_TIMEOUT, RADIUS_IPV4, 5);
	add_v6(r, RADIUS_FRAMED_IPV6_ADDRESS, "::");
	add_vendor(r, RADIUS_MICROSOFT, RADIUS_MS_PRIMARY_DNS, RADIUS_IPV4, 0);
	add_prefix(r, RADIUS_DELEGATED_IPV6_PREFIX, "2001:db8::/3");
	expect_rows(r, NULL, 0);
}

static void routes_end_at_the_first_blank(void **state)
{
	struct rig *r = *state;

	radius_add_text(&r->a, RADIUS_FRAMED_ROUTE, "172.16.0.0/12 10.0.0.1 1");
	radius_add_text(&r->a, RADIUS_FRAMED_ROUTE, "192.168.1.0/8");
	radius_add_text(&r->a, RADIUS_FRAMED_ROUTE, "10.0.0.1 via/here");
	radius_add_text(&r->a, RADIUS_FRAMED_ROUTE, "10.0.0.0/33 x");
	add_prefix(r, RADIUS_FRAMED_IPV6_PREFIX, "2001:db8:7::/48");
	radius_add_text(&r->a, RADIUS_FRAMED_IPV6_ROUTE, "2001:db8:8::/48 :: 1");
	ROWS("route=172.16.0.0/12", "route=192.168.1.0/8", "route=10.0.0.0/33",
	     "route=2001:db8:7::/48", "route=2001:db8:8::/48");
	assert_int_equal(r->found.malformed_route.n, 1);
	assert_string_equal(r->found.malformed_route.item[0], "10.0.0.0/33");
}

static void broken_prefixes_are_no_routes(void **state)
{
	struct rig *r = *state;
	struct radius_attr a = { .type = RADIUS_FRAMED_IPV6_PREFIX, .kind = RADIUS_PREFIX };

	for (a.len = 0; a.len < 2; a.len++)
		radius_add(&r->a, &a);
	a.len = 4;
	a.bytes[1] = 129;
	radius_add(&r->a, &a);
	a.len = 200;
	a.bytes[1] = 64;
	radius_add(&r->a, &a);
	expect_rows(r, NULL, 0);
}

static void short_prefixes_are_filled_with_zeros(void **state)
{
	struct rig *r = *state;
	struct radius_attr a = { .type = RADIUS_FRAMED_IPV6_PREFIX,
				 .kind = RADIUS_PREFIX,
				 .len = 4,
				 .bytes = { 0, 16, 0x20, 0x01 } };

	radius_add(&r->a, &a);
	ROWS("route=2001::/16");
}

static void name_servers_keep_their_order(void **state)
{
	struct rig *r = *state;

	for (int i = 3; i < 6; i++) {
		char text[32];

		snprintf(text, sizeof text, "2001:db8::5%d", i);
		add_v6(r, RADIUS_DNS_SERVER_IPV6_ADDRESS, text);
	}
	add_vendor(r, RADIUS_MICROSOFT, RADIUS_MS_SECONDARY_DNS, RADIUS_IPV4, 0x0a080002);
	add_vendor(r, RADIUS_MICROSOFT, RADIUS_MS_PRIMARY_DNS, RADIUS_IPV4, 0x0a080001);
	ROWS("dns=10.8.0.1", "dns=10.8.0.2", "dns=2001:db8::53", "dns=2001:db8::54");
	assert_int_equal(r->found.spare_dns.n, 1);
	assert_string_equal(r->found.spare_dns.item[0], "2001:db8::55");
}

static void ipv6_address_has_a_block(void **state)
{
	struct rig *r = *state;

	add_v6(r, RADIUS_FRAMED_IPV6_ADDRESS, "2001:db8:5::10");
	ROWS("explicit-ipv6=2001:db8:5::10", "ipv6-subnet-prefix=64");
	add_prefix(r, RADIUS_DELEGATED_IPV6_PREFIX, "2001:db8:6::/56");
	ROWS("explicit-ipv6=2001:db8:6::1", "ipv6-subnet-prefix=56");
	r->a.n = 0;
	add_v6(r, RADIUS_FRAMED_IPV6_ADDRESS, "2001:db8:6:7::9");
	add_prefix(r, RADIUS_DELEGATED_IPV6_PREFIX, "2001:db8:6::/48");
	ROWS("explicit-ipv6=2001:db8:6:7::9", "ipv6-subnet-prefix=48");
}

static void only_known_attributes_are_used(void **state)
{
	struct radius_attr route = { .type = RADIUS_FRAMED_ROUTE }, idle = { .type = 28 },
			   class = { .type = RADIUS_CLASS },
			   foreign = { .vendor = 9, .type = RADIUS_CLASS };

	(void)state;
	assert_true(radius_is_used(&route, true));
	assert_false(radius_is_used(&route, false));
	assert_false(radius_is_used(&idle, true));
	assert_true(radius_is_used(&class, false));
	assert_false(radius_is_used(&foreign, true));
}

/* ---- accounting ---- */

static const struct radius_attr *get(const struct rig *r, enum radius_number type)
{
	const struct radius_attr *a = radius_find(&r->a, type);

	assert_non_null(a);
	return a;
}

static void stop_record_has_totals_in_two_words(void **state)
{
	struct rig *r = *state;
	struct radius line = { .nas_identifier = "nas" };
	struct backend_input in = { .sid = "sid" };
	struct acct_record rec = { .kind = ACCT_STOP,
				   .user = "carol",
				   .seconds = 9,
				   .delay = 4,
				   .rx_bytes = 0x300000005,
				   .rx_packets = 0x100000000,
				   .tx_bytes = 7,
				   .tx_packets = 8,
				   .terminate_cause = 5 };

	assert_int_equal(addr_parse("198.18.0.1", &in.local.addr), ERR_OK);
	assert_int_equal(addr_parse("2001:db8::9", &in.remote.addr), ERR_OK);
	assert_int_equal(addr_parse("10.8.0.9", &rec.v4), ERR_OK);
	assert_int_equal(radius_acct_request(r, &line, &in, &rec, &r->a), ERR_OK);
	assert_int_equal(get(r, RADIUS_ACCT_STATUS_TYPE)->number32, 2);
	assert_int_equal(get(r, RADIUS_ACCT_INPUT_OCTETS)->number32, 5);
	assert_int_equal(get(r, RADIUS_ACCT_INPUT_GIGAWORDS)->number32, 3);
	assert_int_equal(get(r, RADIUS_ACCT_OUTPUT_GIGAWORDS)->number32, 0);
	assert_int_equal(get(r, RADIUS_ACCT_INPUT_PACKETS)->number32, UINT32_MAX);
	assert_int_equal(get(r, RADIUS_ACCT_OUTPUT_PACKETS)->number32, 8);
	assert_int_equal(get(r, RADIUS_ACCT_SESSION_TIME)->number32, 9);
	assert_int_equal(get(r, RADIUS_ACCT_DELAY_TIME)->number32, 4);
	assert_int_equal(get(r, RADIUS_ACCT_TERMINATE_CAUSE)->number32, 5);
	assert_int_equal(get(r, RADIUS_FRAMED_IP_ADDRESS)->number32, 0x0a080009);
	assert_int_equal(get(r, RADIUS_NAS_IP_ADDRESS)->number32, 0xc6120001);
	assert_null(radius_find(&r->a, RADIUS_CONNECT_INFO));
	assert_memory_equal(get(r, RADIUS_CALLING_STATION_ID)->bytes, "2001:db8::9", 11);
}

static void start_record_has_no_totals(void **state)
{
	struct rig *r = *state;
	struct radius line = { .client.nas_ip = "192.0.2.9" };
	struct backend_input in = { .sid = "sid" };
	struct acct_record rec = { .kind = ACCT_START, .user = "carol", .user_agent = "agent" };

	assert_int_equal(radius_acct_request(r, &line, &in, &rec, &r->a), ERR_OK);
	assert_non_null(radius_find(&r->a, RADIUS_CONNECT_INFO));
	assert_null(radius_find(&r->a, RADIUS_ACCT_INPUT_OCTETS));
	assert_null(radius_find(&r->a, RADIUS_ACCT_DELAY_TIME));
	assert_null(radius_find(&r->a, RADIUS_FRAMED_IP_ADDRESS));
	assert_null(radius_find(&r->a, RADIUS_NAS_IDENTIFIER));
	assert_int_equal(get(r, RADIUS_NAS_IP_ADDRESS)->number32, 0xc0000209);
}

static void a_list_has_an_end(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < RADIUS_ATTRS_MAX; i++)
		radius_add_number(&r->a, RADIUS_ACCT_AUTHENTIC, i);
	assert_false(r->a.failed);
	radius_add_number(&r->a, RADIUS_ACCT_AUTHENTIC, 0);
	assert_true(r->a.failed);
	assert_int_equal(r->a.n, RADIUS_ATTRS_MAX);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(class_is_one_group_or_a_list),
		CASE(values_that_cannot_be_names_are_counted),
		CASE(groups_beyond_512_are_dropped),
		CASE(messages_are_joined_and_made_safe),
		CASE(long_messages_are_cut),
		CASE(settings_become_rows),
		CASE(zero_and_odd_values_leave_the_host_s_setting),
		CASE(routes_end_at_the_first_blank),
		CASE(broken_prefixes_are_no_routes),
		CASE(short_prefixes_are_filled_with_zeros),
		CASE(name_servers_keep_their_order),
		CASE(ipv6_address_has_a_block),
		CASE(only_known_attributes_are_used),
		CASE(stop_record_has_totals_in_two_words),
		CASE(start_record_has_no_totals),
		CASE(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
