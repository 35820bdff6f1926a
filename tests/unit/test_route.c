/* test_route.c - who may send which message, and when. */
#include "ipc/route.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/main.pb-c.h"

enum { FROM_A = 1, FROM_B = 2, ST_OPEN = 1, ST_CLOSED = 2 };

struct seen {
	unsigned calls;
	uint32_t mtu;
};

static enum err on_tun_mtu(struct seen *seen, void *peer, const TunMtu *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	seen->calls++;
	seen->mtu = msg->mtu;
	return msg->mtu ? ERR_OK : ERR_RANGE;
}

#define TEST_ROUTES(R) R(ToMain, tun_mtu, TO_MAIN__MSG_TUN_MTU, FROM_A, ST_OPEN, 0, on_tun_mtu)
ROUTES_DEFINE(test_routes, TEST_ROUTES)

static ToMain mtu_message(TunMtu *mtu, uint32_t value)
{
	ToMain m = TO_MAIN__INIT;

	*mtu = (TunMtu)TUN_MTU__INIT;
	mtu->mtu = value;
	m.msg_case = TO_MAIN__MSG_TUN_MTU;
	m.tun_mtu = mtu;
	return m;
}

static enum err dispatch(struct seen *seen, uint32_t sender, uint32_t state, uint32_t value,
			 struct ipc_fds *fds)
{
	TunMtu mtu;
	ToMain m = mtu_message(&mtu, value);
	struct ipc_fds none = { .n = 0 };

	return route_dispatch(&test_routes, seen, NULL, sender, state, &m.base, fds ? fds : &none);
}

static void the_right_sender_in_the_right_state_reaches_the_handler(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(dispatch(&seen, FROM_A, ST_OPEN, 1400, NULL), ERR_OK);
	assert_int_equal(seen.mtu, 1400);
	assert_int_equal(dispatch(&seen, FROM_A, ST_OPEN, 0, NULL), ERR_RANGE);
	assert_int_equal(seen.calls, 2);
}

static void others_are_refused_before_the_handler(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(dispatch(&seen, FROM_B, ST_OPEN, 1400, NULL), ERR_DENIED);
	assert_int_equal(dispatch(&seen, FROM_A, ST_CLOSED, 1400, NULL), ERR_DENIED);
	assert_int_equal(seen.calls, 0);
}

static void unwanted_descriptors_are_refused_and_closed(void **state)
{
	struct seen seen = { 0 };
	struct ipc_fds fds = { .n = 1 };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	fds.fd[0] = fd;
	assert_int_equal(dispatch(&seen, FROM_A, ST_OPEN, 1400, &fds), ERR_DENIED);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void a_message_without_a_row_is_refused(void **state)
{
	struct seen seen = { 0 };
	struct ipc_fds none = { .n = 0 };
	ToMain m = TO_MAIN__INIT;

	(void)state;
	assert_int_equal(route_dispatch(&test_routes, &seen, NULL, FROM_A, ST_OPEN, &m.base, &none),
			 ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_sender_in_the_right_state_reaches_the_handler),
		cmocka_unit_test(others_are_refused_before_the_handler),
		cmocka_unit_test(unwanted_descriptors_are_refused_and_closed),
		cmocka_unit_test(a_message_without_a_row_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
