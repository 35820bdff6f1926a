/* test_addr.c - addresses, networks and endpoints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), ERR_OK);
	return a;
}

static struct addr_net net(const char *text)
{
	struct addr_net n = { 0 };

	assert_int_equal(addr_net_parse(text, &n), ERR_OK);
	return n;
}

static void assert_addr(const struct addr *a, const char *text)
{
	char got[ADDR_TEXT];

	assert_string_equal(addr_print(a, got), text);
}

static void addresses_are_read_and_written(void **state)
{
	static const char *const good[] = { "192.0.2.1", "0.0.0.0", "2001:db8::1", "::" };
	static const char *const bad[] = { "",	  "1.2.3",    "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ",
					   "::g", "01.2.3.4", "[::1]",	   "host" };
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		a = addr(good[i]);
		assert_addr(&a, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(addr_parse(bad[i], &a), ERR_SYNTAX);
}

static void networks_keep_their_host_bits(void **state)
{
	struct addr_net n = net("10.1.2.3/8");
	char text[ADDR_NET_TEXT];

	(void)state;
	assert_string_equal(addr_net_print(&n, text), "10.1.2.3/8");
	assert_string_equal(addr_net_print_mask(&n, text), "10.1.2.3/255.0.0.0");
	n = net("10.0.0.0/255.255.128.0");
	assert_int_equal(n.prefix, 17);
	n = net("fd00::1/64");
	assert_string_equal(addr_net_print_mask(&n, text), "fd00::1/64");
}

static void bad_networks_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} bad[] = {
		{ "10.0.0.0", ERR_SYNTAX },	    { "10.0.0.0/", ERR_SYNTAX },
		{ "10.0.0.0/33", ERR_RANGE },	    { "fd00::/129", ERR_RANGE },
		{ "10.0.0.0/8x", ERR_SYNTAX },	    { "10.0.0.0/ 8", ERR_SYNTAX },
		{ "10.0.0.0/+8", ERR_SYNTAX },	    { "10.0.0.0/255.0.255.0", ERR_RANGE },
		{ "fd00::/255.0.0.0", ERR_SYNTAX }, { "10.0.0.0/99999999999", ERR_RANGE },
	};
	struct addr_net n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(addr_net_parse(bad[i].text, &n), bad[i].err);
}

static void membership_follows_the_prefix(void **state)
{
	struct addr_net n = net("10.1.255.255/20");
	struct addr in = addr("10.1.240.1"), out = addr("10.1.239.255"), v6 = addr("::1");
	struct addr_net all = net("0.0.0.0/0");

	(void)state;
	assert_true(addr_in_net(&in, &n));
	assert_false(addr_in_net(&out, &n));
	assert_false(addr_in_net(&v6, &n));
	assert_true(addr_in_net(&out, &all));
	assert_false(addr_in_net(&v6, &all));
}

static void edges_of_a_network_are_computed(void **state)
{
	struct addr a = addr("10.1.2.3"), b = addr("2001:db8::ff"), got;

	(void)state;
	got = addr_network(&a, 22);
	assert_addr(&got, "10.1.0.0");
	got = addr_broadcast(&a, 22);
	assert_addr(&got, "10.1.3.255");
	got = addr_network(&b, 125);
	assert_addr(&got, "2001:db8::f8");
	got = addr_network(&a, 0);
	assert_addr(&got, "0.0.0.0");
	got = addr_network(&a, 32);
	assert_addr(&got, "10.1.2.3");
}

static void adding_carries_and_wraps(void **state)
{
	struct addr a = addr("10.0.0.255"), b = addr("255.255.255.255"), c = addr("fd00::ffff"),
		    got;

	(void)state;
	got = addr_add(&a, 1);
	assert_addr(&got, "10.0.1.0");
	got = addr_add(&b, 2);
	assert_addr(&got, "0.0.0.1");
	got = addr_add(&c, UINT64_MAX);
	assert_addr(&got, "fd00:0:0:1::fffe");
}

static void masks_and_prefixes_agree(void **state)
{
	uint8_t prefix = 99;

	(void)state;
	for (unsigned p = 0; p <= 32; p++) {
		struct addr m = addr_mask4(p);
		assert_int_equal(addr_mask4_prefix(&m, &prefix), ERR_OK);
		assert_int_equal(prefix, p);
	}
}

static void endpoints_survive_a_sockaddr(void **state)
{
	struct endpoint v4 = { addr("192.0.2.7"), 443 }, v6 = { addr("2001:db8::7"), 1 }, got;
	char text[ENDPOINT_TEXT];
	struct sockaddr_storage ss;

	(void)state;
	assert_int_equal(endpoint_to_sockaddr(&v4, &ss), sizeof(struct sockaddr_in));
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &got), ERR_OK);
	assert_true(endpoint_equal(&v4, &got));
	assert_string_equal(endpoint_print(&got, text), "192.0.2.7:443");
	assert_int_equal(endpoint_to_sockaddr(&v6, &ss), sizeof(struct sockaddr_in6));
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &got), ERR_OK);
	assert_string_equal(endpoint_print(&got, text), "[2001:db8::7]:1");
	ss.ss_family = AF_UNIX;
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &got), ERR_UNSUPPORTED);
}

static void a_mapped_address_is_ipv4(void **state)
{
	struct endpoint mapped = { addr("::ffff:192.0.2.7"), 80 }, got;
	struct sockaddr_storage ss;

	(void)state;
	endpoint_to_sockaddr(&mapped, &ss);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &got), ERR_OK);
	assert_addr(&got.addr, "192.0.2.7");
}

static void networks_are_the_same_whatever_their_host_bits(void **state)
{
	struct addr_net a = { { .family = AF_INET, .bytes = { 10, 7, 0, 0 } }, 16 }, b = a;
	const struct addr_net none = { 0 };

	(void)state;
	b.addr.bytes[3] = 1;
	assert_true(addr_net_equal(&a, &b));
	b.addr.bytes[1] = 8;
	assert_false(addr_net_equal(&a, &b));
	b = a;
	b.prefix = 17;
	assert_false(addr_net_equal(&a, &b));
	b = a;
	b.addr.family = AF_INET6;
	assert_false(addr_net_equal(&a, &b));
	assert_true(addr_net_equal(&none, &none));
	assert_false(addr_net_equal(&a, &none));
}

static void reasons_of_the_system_are_its_words(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_string_equal(err_reason(ERR_SYS), "No such file or directory");
	assert_string_equal(err_reason(ERR_NOMEM), err_text(ERR_NOMEM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_the_same_whatever_their_host_bits),
		cmocka_unit_test(reasons_of_the_system_are_its_words),
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(networks_keep_their_host_bits),
		cmocka_unit_test(bad_networks_are_refused),
		cmocka_unit_test(membership_follows_the_prefix),
		cmocka_unit_test(edges_of_a_network_are_computed),
		cmocka_unit_test(adding_carries_and_wraps),
		cmocka_unit_test(masks_and_prefixes_agree),
		cmocka_unit_test(endpoints_survive_a_sockaddr),
		cmocka_unit_test(a_mapped_address_is_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
