/* test_batch.c - datagram batches over loopback sockets, in a network namespace of this test's own
 * (needs root): the refusals are the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/path/batch.h"
#include "worker/path/udp_in.h"

struct pair {
	int a, b;
	struct batch_queue *q;
	struct udp_in *in;
};

/* Of PROTO, 0 is UDP. */
static void connect_pair(int fd[2], int proto)
{
	struct sockaddr_in a[2];
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof a[i];
		a[i] = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, proto);
		assert_int_equal(bind(fd[i], (void *)&a[i], sizeof a[i]), 0);
		assert_int_equal(getsockname(fd[i], (void *)&a[i], &len), 0);
	}
	assert_int_equal(connect(fd[0], (void *)&a[1], sizeof a[1]), 0);
	assert_int_equal(connect(fd[1], (void *)&a[0], sizeof a[0]), 0);
}

static struct pair setup_proto(bool gro, int proto)
{
	struct pair p;
	int fd[2];
	connect_pair(fd, proto);
	p.a = fd[0];
	p.b = fd[1];
	assert_int_equal(batch_new(NULL, &p.q), ERR_OK);
	assert_int_equal(udp_in_new(NULL, &p.in), ERR_OK);
	batch_socket(p.q, p.a, true);
	if (gro)
		udp_in_socket(p.b);
	return p;
}

static struct pair setup(bool gro)
{
	return setup_proto(gro, 0);
}

static void teardown(struct pair *p)
{
	talloc_free(p->q);
	talloc_free(p->in);
	close(p->a);
	close(p->b);
}

static void put(struct pair *p, size_t len, unsigned char mark)
{
	uint8_t data[2000];
	memset(data, mark, sizeof data);
	batch_put(p->q, data, len);
}

/* Whether the next datagram, which a slow network may bring within MS, is the expected one. */
static bool get_within(struct pair *p, size_t want, unsigned char mark, int ms)
{
	uint8_t *data;
	size_t len;
	struct pollfd f = { p->b, POLLIN, 0 };
	while (!udp_in_next(p->in, &data, &len)) {
		if (poll(&f, 1, ms) != 1 || !udp_in_read(p->in, p->b, SIZE_MAX))
			return false;
	}
	return len == want && data[0] == mark && data[len - 1] == mark;
}

static bool get(struct pair *p, size_t want, unsigned char mark)
{
	return get_within(p, want, mark, 0);
}

static void all_sizes_arrive(bool gro)
{
	struct pair p = setup(gro);
	static const size_t sizes[] = { 1400, 1400, 1400, 700, 1400, 10, 11, 12, 1400, 1400, 1 };
	enum { N = sizeof sizes / sizeof sizes[0] };
	for (unsigned round = 0; round < 9; round++) {
		for (unsigned i = 0; i < N; i++)
			put(&p, sizes[i], (unsigned char)(round * N + i));
		assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
		assert_true(batch_is_empty(p.q));
	}
	assert_int_equal(batch_take_dropped(p.q), 0);
	for (unsigned i = 0; i < N * 9; i++)
		assert_true(get(&p, sizes[i % N], (unsigned char)i));
	assert_false(get(&p, 0, 0));
	teardown(&p);
}

static void datagrams_of_all_sizes_arrive_in_order(void **state)
{
	(void)state;
	all_sizes_arrive(false);
	all_sizes_arrive(true);
}

/* The client may move to a socket that segments while datagrams wait for one that could not. */
static void what_was_queued_for_another_socket_stays_whole(void **state)
{
	(void)state;
	struct pair p = setup(false);
	static const size_t sizes[] = { 100, 300, 50, 50, 700 };
	batch_socket(p.q, p.a, false);
	for (unsigned i = 0; i < 5; i++)
		put(&p, sizes[i], (unsigned char)i);
	batch_socket(p.q, p.a, true);
	for (unsigned i = 5; i < 10; i++)
		put(&p, sizes[i - 5], (unsigned char)i);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_int_equal(batch_take_dropped(p.q), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_true(get(&p, sizes[i % 5], (unsigned char)i));
	teardown(&p);
}

static void many_equal_datagrams_arrive(void **state)
{
	(void)state;
	struct pair p = setup(true);
	for (unsigned i = 0; i < 90; i++)
		put(&p, 1400, (unsigned char)i);
	assert_int_equal(batch_take_dropped(p.q), 0);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	for (unsigned i = 0; i < 90; i++)
		assert_true(get(&p, 1400, (unsigned char)i));
	teardown(&p);
}

static void a_growing_batch_is_kept_back(void **state)
{
	(void)state;
	struct pair p = setup(false);
	put(&p, 100, 1);
	assert_int_equal(batch_flush(p.q, p.a, false), ERR_OK);
	assert_false(batch_is_empty(p.q));
	assert_false(get(&p, 100, 1));
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_true(get(&p, 100, 1));
	teardown(&p);
}

static void a_datagram_written_in_place_counts_when_it_is_complete(void **state)
{
	(void)state;
	struct pair p = setup(false);
	uint8_t *room = batch_room(p.q, 300);
	assert_non_null(room);
	assert_true(batch_is_empty(p.q));
	assert_ptr_equal(batch_room(p.q, 300), room); /* nothing has happened yet */
	memset(room, 7, 300);
	batch_commit(p.q, 300);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_true(get(&p, 300, 7));
	teardown(&p);
}

static void a_full_queue_drops_and_counts(void **state)
{
	(void)state;
	struct pair p = setup(false);
	for (unsigned i = 0; i < 2000; i++)
		put(&p, 1400, 1);
	assert_false(batch_has_room(p.q));
	assert_true(batch_take_dropped(p.q) > 1000);
	assert_int_equal(batch_take_dropped(p.q), 0);
	batch_reset(p.q);
	assert_true(batch_is_empty(p.q));
	teardown(&p);
}

static void an_answer_to_an_older_datagram_loses_none(void **state)
{
	(void)state;
	struct pair p = setup(false);
	struct sockaddr_in to;
	socklen_t len = sizeof to;
	assert_int_equal(getsockname(p.b, (void *)&to, &len), 0);
	close(p.b); /* nobody listens: ICMP says so, and the next send fails with that */
	put(&p, 100, 1);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	p.b = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(p.b, (void *)&to, sizeof to), 0);
	put(&p, 100, 2);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_int_equal(batch_take_dropped(p.q), 0);
	assert_true(get(&p, 100, 2));
	teardown(&p);
}

static void datagrams_the_kernel_finds_too_big_are_told(void **state)
{
	(void)state;
	struct batch_queue *q;
	uint8_t big[60000] = { 7 };
	int small = 4096, fd[2];
	/* A Unix socket refuses with the same error what is larger than its buffer. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	assert_int_equal(batch_new(NULL, &q), ERR_OK);
	batch_socket(q, fd[0], true);
	assert_false(batch_take_too_big(q));
	batch_put(q, big, sizeof big);
	batch_put(q, big, 100);
	assert_int_equal(batch_flush(q, fd[0], true), ERR_OK);
	assert_true(batch_take_too_big(q));
	assert_false(batch_take_too_big(q));
	assert_int_equal(batch_take_dropped(q), 1);
	assert_int_equal(recv(fd[1], big, sizeof big, 0), 100);
	talloc_free(q);
	close(fd[0]);
	close(fd[1]);
}

/* N equal datagrams, told apart by their first and last byte, are sent and arrive in order. */
static void a_run_arrives(struct pair *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put(p, 1000, (unsigned char)i);
	assert_int_equal(batch_flush(p->q, p->a, true), ERR_OK);
	assert_true(batch_is_empty(p->q));
	assert_int_equal(batch_take_dropped(p->q), 0);
	for (unsigned i = 0; i < n; i++)
		assert_true(get(p, 1000, (unsigned char)i));
	assert_false(get(p, 0, 0));
}

static void a_socket_that_cannot_segment_sends_singly(void **state)
{
	(void)state;
	/* EINVAL: there is no checksum to leave to the device. */
	struct pair p = setup(false);
	int one = 1;
	assert_int_equal(setsockopt(p.a, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one), 0);
	a_run_arrives(&p, 90);
	a_run_arrives(&p, 3);
	teardown(&p);
}

static void a_protocol_that_cannot_segment_sends_singly(void **state)
{
	(void)state;
	/* EIO, as from a device without checksums on older kernels. */
	int s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	if (s < 0)
		skip();
	close(s);
	struct pair p = setup_proto(false, IPPROTO_UDPLITE);
	a_run_arrives(&p, 90);
	a_run_arrives(&p, 3);
	teardown(&p);
}

static void batches_go_over_ipv6(void **state)
{
	(void)state;
	struct sockaddr_in6 a[2];
	struct pair p = setup(true);
	int fd[2] = { p.a, p.b };
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof a[i];
		close(fd[i]);
		fd[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		a[i] = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					      .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		assert_int_equal(bind(fd[i], (void *)&a[i], sizeof a[i]), 0);
		assert_int_equal(getsockname(fd[i], (void *)&a[i], &len), 0);
	}
	assert_int_equal(connect(fd[0], (void *)&a[1], sizeof a[1]), 0);
	p.a = fd[0];
	p.b = fd[1];
	batch_socket(p.q, p.a, true);
	udp_in_socket(p.b);
	a_run_arrives(&p, 90);
	teardown(&p);
}

/* Runs COMMAND, which changes this namespace only. */
static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void what_exceeds_the_path_mtu_is_told_and_the_rest_sent(void **state)
{
	(void)state;
	struct pair p = setup(false);
	int discover = IP_PMTUDISC_DO;
	assert_int_equal(setsockopt(p.a, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover),
			 0);
	run("ip link set lo mtu 1200");
	for (unsigned i = 0; i < 5; i++)
		put(&p, 1400, 1);
	put(&p, 1000, 2);
	for (unsigned i = 0; i < 5; i++)
		put(&p, 1000, 3);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_true(batch_take_too_big(p.q));
	assert_int_equal(batch_take_dropped(p.q), 5);
	assert_true(get(&p, 1000, 2));
	for (unsigned i = 0; i < 5; i++)
		assert_true(get(&p, 1000, 3));
	/* It was the size, not the batch: what fits is still sent in batches, and unharmed. */
	a_run_arrives(&p, 90);
	run("ip link set lo mtu 65536");
	teardown(&p);
}

/* Waits until FD is writable again. */
static bool writable(int fd)
{
	struct pollfd f = { fd, POLLOUT, 0 };
	return poll(&f, 1, 5000) == 1;
}

/* Sends N datagrams through a socket that takes only some at a time, and gets them in order. */
static void a_slow_socket_keeps_order(struct pair *p, unsigned n)
{
	unsigned again = 0;
	for (unsigned i = 0; i < n; i++)
		put(p, 1000, (unsigned char)i);
	for (;;) {
		enum err err = batch_flush(p->q, p->a, true);
		if (err == ERR_OK)
			break;
		assert_int_equal(err, ERR_AGAIN);
		assert_false(batch_is_empty(p->q));
		again++;
		assert_true(writable(p->a));
	}
	assert_true(again > 0);
	assert_int_equal(batch_take_dropped(p->q), 0);
	for (unsigned i = 0; i < n; i++)
		assert_true(get_within(p, 1000, (unsigned char)i, 5000));
}

static void a_full_socket_loses_and_reorders_nothing(void **state)
{
	(void)state;
	int small = 20000, large = 4000000;
	run("tc qdisc add dev lo root tbf rate 100mbit burst 70k limit 1m");
	for (int segment = 0; segment < 2; segment++) {
		struct pair p = setup(false);
		assert_int_equal(
			setsockopt(p.a, SOL_SOCKET, SO_NO_CHECK, &(int){ !segment }, sizeof(int)),
			0);
		assert_int_equal(setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
		assert_int_equal(setsockopt(p.b, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large),
				 0);
		a_slow_socket_keeps_order(&p, 250);
		teardown(&p);
	}
	run("tc qdisc del dev lo root");
}

static void a_full_device_drops_counts_and_goes_on(void **state)
{
	(void)state;
	int one = 1;
	uint8_t last = 0;
	uint8_t *data;
	size_t len;
	unsigned got = 0;
	run("tc qdisc add dev lo root tbf rate 10mbit burst 70k limit 70k");
	for (int segment = 0; segment < 2; segment++) {
		struct pair p = setup(false);
		/* The kernel tells of the loss only those who ask. */
		assert_int_equal(setsockopt(p.a, IPPROTO_IP, IP_RECVERR, &one, sizeof one), 0);
		assert_int_equal(
			setsockopt(p.a, SOL_SOCKET, SO_NO_CHECK, &(int){ !segment }, sizeof(int)),
			0);
		for (unsigned i = 0; i < 250; i++)
			put(&p, 1000, (unsigned char)i);
		assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
		assert_true(batch_is_empty(p.q));
		unsigned lost = batch_take_dropped(p.q);
		assert_in_range(lost, 1, 249);
		got = 0;
		last = 0;
		while (got < 250 - lost) {
			struct pollfd f = { p.b, POLLIN, 0 };
			assert_int_equal(poll(&f, 1, 5000), 1);
			(void)udp_in_read(p.in, p.b, SIZE_MAX);
			while (udp_in_next(p.in, &data, &len)) {
				assert_true(got == 0 || data[0] > last);
				last = data[0];
				got++;
			}
		}
		teardown(&p);
	}
	run("tc qdisc del dev lo root");
}

static void merged_datagrams_without_their_size_come_as_one(void **state)
{
	(void)state;
	struct pair p = setup(true);
	uint8_t *data;
	size_t len, sum = 0;
	int one = 1;
	/* A second control message takes the room of the first. */
	assert_int_equal(setsockopt(p.b, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof one), 0);
	for (unsigned i = 0; i < 20; i++)
		put(&p, 1000, (unsigned char)i);
	put(&p, 10, 20);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	while (udp_in_read(p.in, p.b, SIZE_MAX)) {
		while (udp_in_next(p.in, &data, &len)) {
			/* DTLS records in it say their own length. */
			for (size_t i = 0; i < len; i++)
				assert_int_equal(data[i], (sum + i) / 1000);
			sum += len;
		}
	}
	assert_int_equal(sum, 20010);
	teardown(&p);
}

static void empty_datagrams_are_passed_over(void **state)
{
	(void)state;
	struct pair p = setup(true);
	assert_int_equal(send(p.a, "", 0, 0), 0);
	put(&p, 100, 1);
	assert_int_equal(batch_flush(p.q, p.a, true), ERR_OK);
	assert_int_equal(send(p.a, "", 0, 0), 0);
	assert_true(get(&p, 100, 1));
	assert_false(get(&p, 0, 0));
	teardown(&p);
}

static int enter_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) || system("ip link set lo up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_of_all_sizes_arrive_in_order),
		cmocka_unit_test(what_was_queued_for_another_socket_stays_whole),
		cmocka_unit_test(many_equal_datagrams_arrive),
		cmocka_unit_test(a_growing_batch_is_kept_back),
		cmocka_unit_test(a_datagram_written_in_place_counts_when_it_is_complete),
		cmocka_unit_test(a_full_queue_drops_and_counts),
		cmocka_unit_test(an_answer_to_an_older_datagram_loses_none),
		cmocka_unit_test(datagrams_the_kernel_finds_too_big_are_told),
		cmocka_unit_test(a_socket_that_cannot_segment_sends_singly),
		cmocka_unit_test(a_protocol_that_cannot_segment_sends_singly),
		cmocka_unit_test(batches_go_over_ipv6),
		cmocka_unit_test(what_exceeds_the_path_mtu_is_told_and_the_rest_sent),
		cmocka_unit_test(a_full_socket_loses_and_reorders_nothing),
		cmocka_unit_test(a_full_device_drops_counts_and_goes_on),
		cmocka_unit_test(merged_datagrams_without_their_size_come_as_one),
		cmocka_unit_test(empty_datagrams_are_passed_over),
	};
	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
