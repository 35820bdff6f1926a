/* test_chan.c - channels on an event loop. */
#include "ipc/chan.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/main.pb-c.h"

struct end {
	struct chan *chan;
	unsigned messages, fds, closed;
	uint32_t last;
	enum err why;
	unsigned free_after; /* the callback frees the channel at this many messages */
};

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct end *e = arg;

	assert_ptr_equal(chan, e->chan);
	e->messages++;
	e->fds += fds->n;
	e->last = ((const ToMain *)msg)->tun_mtu->mtu;
	if (e->messages == e->free_after) {
		talloc_free(chan);
		e->chan = NULL;
	}
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct end *e = arg;

	e->closed++;
	e->why = why;
	talloc_free(chan);
	e->chan = NULL;
}

static const struct chan_ops ops = { on_message, on_closed };

struct fixture {
	struct ev_loop *loop;
	struct end a, b;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	int pair[2];

	f->loop = ev_loop_new(0);
	assert_int_equal(ipc_pair(pair), ERR_OK);
	assert_int_equal(
		chan_new(f, f->loop, pair[0], &to_main__descriptor, &ops, &f->a, &f->a.chan),
		ERR_OK);
	assert_int_equal(
		chan_new(f, f->loop, pair[1], &to_main__descriptor, &ops, &f->b, &f->b.chan),
		ERR_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct ev_loop *loop = f->loop;

	talloc_free(f);
	ev_loop_destroy(loop);
	return 0;
}

static void send_number(struct chan *chan, uint32_t n, int fd)
{
	TunMtu mtu = TUN_MTU__INIT;
	ToMain m = TO_MAIN__INIT;

	mtu.mtu = n;
	m.msg_case = TO_MAIN__MSG_TUN_MTU;
	m.tun_mtu = &mtu;
	assert_int_equal(chan_send(chan, &m.base, &fd, fd >= 0), ERR_OK);
}

static void run(struct fixture *f)
{
	for (int i = 0; i < 200; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
}

static void messages_arrive_in_order(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= 100; i++)
		send_number(f->a.chan, i, -1);
	run(f);
	assert_int_equal(f->b.messages, 100);
	assert_int_equal(f->b.last, 100);
}

static void a_full_socket_queues_and_drains_in_order(void **state)
{
	struct fixture *f = *state;
	uint32_t sent = 0;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (chan_queued(f->a.chan) < 50)
		send_number(f->a.chan, ++sent, -1);
	send_number(f->a.chan, ++sent, fd);
	close(fd); /* the queue holds a duplicate */
	for (int i = 0; i < 100000 && f->b.messages < sent; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	assert_int_equal(f->b.messages, sent);
	assert_int_equal(f->b.last, sent);
	assert_int_equal(f->b.fds, 1);
	assert_int_equal(chan_queued(f->a.chan), 0);
}

static void the_end_of_the_peer_is_reported_once(void **state)
{
	struct fixture *f = *state;

	send_number(f->a.chan, 5, -1);
	talloc_free(f->a.chan);
	f->a.chan = NULL;
	run(f);
	assert_int_equal(f->b.messages, 1);
	assert_int_equal(f->b.closed, 1);
	assert_int_equal(f->b.why, ERR_CLOSED);
}

static void a_handler_may_free_its_channel(void **state)
{
	struct fixture *f = *state;

	f->b.free_after = 2;
	for (uint32_t i = 1; i <= 10; i++)
		send_number(f->a.chan, i, -1);
	run(f);
	assert_int_equal(f->b.messages, 2);
	assert_int_equal(f->b.closed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_arrive_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_socket_queues_and_drains_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_end_of_the_peer_is_reported_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_handler_may_free_its_channel, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
