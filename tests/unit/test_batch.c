/* test_batch.c - datagram batches over loopback sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
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

static void connect_pair(int fd[2])
{
	struct sockaddr_in a[2];
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof a[i];
		a[i] = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		assert_int_equal(bind(fd[i], (void *)&a[i], sizeof a[i]), 0);
		assert_int_equal(getsockname(fd[i], (void *)&a[i], &len), 0);
	}
	assert_int_equal(connect(fd[0], (void *)&a[1], sizeof a[1]), 0);
	assert_int_equal(connect(fd[1], (void *)&a[0], sizeof a[0]), 0);
}

static struct pair setup(bool gro)
{
	struct pair p;
	int fd[2];
	connect_pair(fd);
	p.a = fd[0];
	p.b = fd[1];
	assert_int_equal(batch_new(NULL, &p.q), ERR_OK);
	assert_int_equal(udp_in_new(NULL, &p.in), ERR_OK);
	batch_socket(p.q, p.a);
	if (gro)
		udp_in_socket(p.b);
	return p;
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

static bool get(struct pair *p, size_t want, unsigned char mark)
{
	const uint8_t *data;
	size_t len;
	while (!udp_in_next(p->in, &data, &len)) {
		if (!udp_in_read(p->in, p->b, SIZE_MAX))
			return false;
	}
	return len == want && data[0] == mark && data[len - 1] == mark;
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
	batch_socket(q, fd[0]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_of_all_sizes_arrive_in_order),
		cmocka_unit_test(many_equal_datagrams_arrive),
		cmocka_unit_test(a_growing_batch_is_kept_back),
		cmocka_unit_test(a_full_queue_drops_and_counts),
		cmocka_unit_test(an_answer_to_an_older_datagram_loses_none),
		cmocka_unit_test(datagrams_the_kernel_finds_too_big_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
