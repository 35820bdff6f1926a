/* test_tun.c - TUN devices, in a network namespace of this test's own (needs root). */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "main/tun.h"

static struct netlink *setup_netlink(TALLOC_CTX *ctx)
{
	struct netlink *nl;

	assert_int_equal(netlink_new(ctx, &nl), ERR_OK);
	return nl;
}

static int enter_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), ERR_OK);
	return a;
}

static struct tun_addrs both(uint8_t v6_prefix)
{
	return (struct tun_addrs){ addr("10.5.0.1"), addr("10.5.0.9"), addr("fd91::1"),
				   addr("fd91:0:0:7::1"), v6_prefix };
}

static bool try_send(const char *to, size_t len)
{
	struct endpoint ep = { addr(to), 9 };
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&ep, &ss);
	int s = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char data[2000] = { 0 };
	ssize_t n = sendto(s, data, len, 0, (struct sockaddr *)&ss, ss_len);

	close(s);
	return n == (ssize_t)len;
}

/* Sends one UDP datagram to TO, which routing must bring to FD, and reads it there.  The kernel
 * puts IPv6 routes of a new address in place from a work queue, a moment later. */
static ssize_t carry(int fd, const char *to, size_t len, uint8_t pkt[2048])
{
	struct pollfd p = { fd, POLLIN, 0 };
	int tries = 0;

	while (!try_send(to, len) && ++tries < 200)
		usleep(10000);
	assert_int_equal(poll(&p, 1, 2000), 1);
	return read(fd, pkt, 2048);
}

static void a_device_carries_packets_for_its_addresses(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(128);
	struct tun *tun;
	uint8_t pkt[2048];

	(void)state;
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun), ERR_OK);
	assert_string_equal(tun_name(tun), "vpntest0");
	/* Nothing of the kernel's own is waiting: no router or multicast solicitation. */
	assert_int_equal(read(tun_fd(tun), pkt, sizeof pkt), -1);
	assert_int_equal(carry(tun_fd(tun), "10.5.0.9", 100, pkt), 128);
	assert_memory_equal(pkt + 12, "\x0a\x05\x00\x01\x0a\x05\x00\x09", 8);
	assert_int_equal(carry(tun_fd(tun), "fd91:0:0:7::1", 100, pkt), 148);
	assert_memory_equal(pkt + 8, addr("fd91::1").bytes, 16);
	assert_false(try_send("fd91:0:0:7::2", 100));
	talloc_free(ctx);
}

static void counters_tell_what_the_client_sent_and_got(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(128);
	struct tun_counters c;
	struct tun *tun;
	uint8_t pkt[2048] = { 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 10, 5, 0, 9, 10, 5, 0, 1 };

	(void)state;
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun), ERR_OK);
	assert_int_equal(write(tun_fd(tun), pkt, 50), 50);
	assert_int_equal(carry(tun_fd(tun), "10.5.0.9", 100, pkt), 128);
	assert_int_equal(tun_counters(tun, &c), ERR_OK);
	assert_int_equal(c.rx_bytes, 50);
	assert_int_equal(c.tx_bytes, 128);
	assert_int_equal(c.rx_packets, 1);
	assert_int_equal(c.tx_packets, 1);
	talloc_free(ctx);
}

static void a_block_is_routed_to_the_device(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(64);
	struct tun *tun;
	uint8_t pkt[2048];

	(void)state;
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun), ERR_OK);
	assert_int_equal(carry(tun_fd(tun), "fd91:0:0:7:8::9", 10, pkt), 58);
	assert_false(try_send("fd91:0:0:8::1", 10));
	talloc_free(ctx);
}

static void many_devices_share_the_servers_address(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun *tun[40];
	uint8_t pkt[2048];
	char to[40];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct tun_addrs a = both(128);
		a.v4_peer = addr_add(&a.v4_peer, i);
		a.v6_peer = addr_add(&a.v6_peer, i);
		assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun[i]), ERR_OK);
	}
	talloc_free(tun[7]);
	for (unsigned i = 8; i < 40; i++) {
		snprintf(to, sizeof to, "10.5.0.%u", 9 + i);
		assert_int_equal(carry(tun_fd(tun[i]), to, 100, pkt), 128);
		snprintf(to, sizeof to, "fd91:0:0:7::%x", 1 + i);
		assert_int_equal(carry(tun_fd(tun[i]), to, 100, pkt), 148);
	}
	talloc_free(ctx);
}

static void the_mtu_changes_and_spares_ipv6(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(128), v4 = both(128);
	struct netlink_link link;
	struct tun *tun, *only4;
	uint8_t pkt[2048];

	(void)state;
	v4.v6_local = v4.v6_peer = (struct addr){ 0 };
	v4.v4_peer = addr("10.5.0.10");
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun), ERR_OK);
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &v4, 0, &only4), ERR_OK);
	assert_int_equal(tun_set_mtu(tun, 1000), ERR_OK);
	assert_int_equal(tun_set_mtu(only4, 1000), ERR_OK);
	assert_int_equal(netlink_link_get(nl, tun_index(tun), &link), ERR_OK);
	assert_int_equal(link.mtu, 1280);
	assert_int_equal(netlink_link_get(nl, tun_index(only4), &link), ERR_OK);
	assert_int_equal(link.mtu, 1000);
	assert_int_equal(carry(tun_fd(tun), "fd91:0:0:7::1", 100, pkt), 148);
	talloc_free(ctx);
}

static void a_device_is_found_again_from_its_descriptor(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL), *later = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx), *nl2 = setup_netlink(later);
	struct tun_addrs a = both(128), got;
	struct tun *tun, *other, *again;
	int fd;

	(void)state;
	assert_int_equal(tun_new(ctx, nl, "vpnother", 1300, &a, 0, &other), ERR_OK);
	a.v4_peer = addr("10.5.0.77");
	a.v6_peer = addr("fd91:0:0:7::77");
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1321, &a, 0, &tun), ERR_OK);
	fd = fcntl(tun_fd(tun), F_DUPFD_CLOEXEC, 0); /* the worker's */
	talloc_free(ctx);
	assert_int_equal(tun_adopt(later, nl2, fd, &again), ERR_OK);
	got = *tun_addrs(again);
	assert_memory_equal(tun_name(again), "vpntest", 7);
	assert_int_equal(tun_mtu(again), 1321);
	assert_true(addr_equal(&got.v4_local, &a.v4_local));
	assert_true(addr_equal(&got.v4_peer, &a.v4_peer));
	assert_true(addr_equal(&got.v6_local, &a.v6_local));
	assert_true(addr_equal(&got.v6_peer, &a.v6_peer));
	talloc_free(later);
}

/* Linux 6.2 and later have all of them; what was set is found again by whoever adopts the device.
 */
static void offloads_are_used_where_they_are_wanted(void **state)
{
	static const unsigned wanted[] = { 0, TUN_OFFLOAD_VNET,
					   TUN_OFFLOAD_VNET | TUN_OFFLOAD_USO };
	struct tun_addrs a = both(128);

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct netlink *nl = setup_netlink(ctx);
		struct tun *tun, *again;
		uint8_t pkt[2048];
		int fd;

		assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, wanted[i], &tun), ERR_OK);
		assert_int_equal(tun_offloads(tun), wanted[i]);
		assert_true(try_send("10.5.0.9", 100));
		assert_int_equal(read(tun_fd(tun), pkt, sizeof pkt), wanted[i] ? 138 : 128);
		fd = fcntl(tun_fd(tun), F_DUPFD_CLOEXEC, 0);
		assert_int_equal(tun_adopt(ctx, nl, fd, &again), ERR_OK);
		assert_int_equal(tun_offloads(again) & TUN_OFFLOAD_VNET,
				 wanted[i] & TUN_OFFLOAD_VNET);
		talloc_free(ctx);
	}
}

static void the_device_goes_with_the_last_descriptor(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(128);
	struct tun_counters c;
	struct tun *tun;
	int fd;

	(void)state;
	assert_int_equal(tun_new(ctx, nl, "vpntest", 1400, &a, 0, &tun), ERR_OK);
	fd = fcntl(tun_fd(tun), F_DUPFD_CLOEXEC, 0);
	tun_close_fd(tun);
	assert_int_equal(tun_fd(tun), -1);
	assert_int_equal(tun_counters(tun, &c), ERR_OK);
	close(fd);
	assert_int_equal(tun_counters(tun, &c), ERR_NOT_FOUND);
	talloc_free(ctx);
}

static void what_is_no_device_is_refused(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct netlink *nl = setup_netlink(ctx);
	struct tun_addrs a = both(128);
	struct tun *tun;

	(void)state;
	assert_int_equal(tun_adopt(ctx, nl, open("/dev/null", O_RDWR | O_CLOEXEC), &tun), ERR_SYS);
	assert_int_equal(tun_new(ctx, nl, "averylongname", 1400, &a, 0, &tun), ERR_TOO_LONG);
	assert_int_equal(tun_new(ctx, nl, "a%s", 1400, &a, 0, &tun), ERR_TOO_LONG);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_carries_packets_for_its_addresses),
		cmocka_unit_test(counters_tell_what_the_client_sent_and_got),
		cmocka_unit_test(a_block_is_routed_to_the_device),
		cmocka_unit_test(many_devices_share_the_servers_address),
		cmocka_unit_test(the_mtu_changes_and_spares_ipv6),
		cmocka_unit_test(a_device_is_found_again_from_its_descriptor),
		cmocka_unit_test(offloads_are_used_where_they_are_wanted),
		cmocka_unit_test(the_device_goes_with_the_last_descriptor),
		cmocka_unit_test(what_is_no_device_is_refused),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
