/* test_path_tun.c - what reads of the device may give beside packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/virtio_net.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/path/tun.h"

static struct tun *device(int fd, bool headers)
{
	struct tun *t = NULL;
	assert_true(fd >= 0);
	assert_int_equal(tun_new(NULL, fd, headers, &t), ERR_OK);
	return t;
}

static void a_device_that_is_gone_is_told(void **state)
{
	int fd[2];
	uint8_t *pkt;
	size_t len;
	(void)state;
	for (int headers = 0; headers < 2; headers++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
		struct tun *t = device(fd[0], headers);
		assert_int_equal(tun_read(t, &pkt, &len), ERR_AGAIN);
		close(fd[1]);
		assert_int_equal(tun_read(t, &pkt, &len), ERR_CLOSED);
		assert_int_equal(tun_take_dropped(t), 0);
		talloc_free(t);
	}
}

/* So the kernel says it when the header cannot describe a packet, which is gone then.  Reads of an
 * epoll descriptor are refused in the same way. */
static void a_packet_without_a_description_is_lost_alone(void **state)
{
	struct tun *t = device(epoll_create1(EPOLL_CLOEXEC), true);
	uint8_t *pkt;
	size_t len;
	(void)state;
	assert_int_equal(tun_read(t, &pkt, &len), ERR_AGAIN);
	assert_int_equal(tun_take_dropped(t), 1);
	assert_int_equal(tun_take_dropped(t), 0);
	talloc_free(t);
}

static void packets_that_cannot_be_cut_are_passed_over(void **state)
{
	int fd[2];
	uint8_t *pkt, raw[sizeof(struct virtio_net_hdr) + 20] = { 0 };
	struct virtio_net_hdr odd = { .gso_type = 99 }, none = { 0 };
	size_t len;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	struct tun *t = device(fd[0], true);
	raw[sizeof none] = 0x45;
	for (int i = 0; i < 3; i++) {
		memcpy(raw, i < 2 ? &odd : &none, sizeof none);
		assert_int_equal(write(fd[1], raw, sizeof raw), sizeof raw);
	}
	assert_int_equal(tun_read(t, &pkt, &len), ERR_OK);
	assert_int_equal(len, 20);
	assert_int_equal(tun_take_dropped(t), 2);
	assert_int_equal(tun_read(t, &pkt, &len), ERR_AGAIN);
	talloc_free(t);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_is_gone_is_told),
		cmocka_unit_test(a_packet_without_a_description_is_lost_alone),
		cmocka_unit_test(packets_that_cannot_be_cut_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
