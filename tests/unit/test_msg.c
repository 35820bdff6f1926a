/* test_msg.c - protobuf messages and descriptors over SEQPACKET. */
#include "ipc/msg.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/convert.h"
#include "ipc/main.pb-c.h"
#include "ipc/worker.pb-c.h"

struct fixture {
	TALLOC_CTX *ctx;
	int pair[2];
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->ctx = f;
	assert_int_equal(ipc_pair(f->pair), ERR_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->pair[0]);
	close(f->pair[1]);
	talloc_free(f);
	return 0;
}

static enum err send_mtu(int fd, uint32_t mtu, const int *fds, unsigned n)
{
	TunMtu tun_mtu = TUN_MTU__INIT;
	ToMain m = TO_MAIN__INIT;

	tun_mtu.mtu = mtu;
	m.msg_case = TO_MAIN__MSG_TUN_MTU;
	m.tun_mtu = &tun_mtu;
	return ipc_send(fd, &m.base, fds, n);
}

static void a_message_arrives_with_its_case_and_name(void **state)
{
	struct fixture *f = *state;
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds;

	assert_int_equal(send_mtu(f->pair[0], 1400, NULL, 0), ERR_OK);
	assert_int_equal(ipc_recv(f->ctx, f->pair[1], &to_main__descriptor, &msg, &fds), ERR_OK);
	assert_int_equal(ipc_case(msg), TO_MAIN__MSG_TUN_MTU);
	assert_string_equal(ipc_case_name(msg->descriptor, ipc_case(msg)), "tun_mtu");
	assert_int_equal(((ToMain *)msg)->tun_mtu->mtu, 1400);
	assert_int_equal(fds.n, 0);
	assert_int_equal(ipc_recv(f->ctx, f->pair[1], &to_main__descriptor, &msg, &fds), ERR_AGAIN);
}

static void descriptors_travel_and_untaken_ones_are_closed(void **state)
{
	struct fixture *f = *state;
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds;
	int p[2], kept, other;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(send_mtu(f->pair[0], 1, p, 2), ERR_OK);
	assert_int_equal(ipc_recv(f->ctx, f->pair[1], &to_main__descriptor, &msg, &fds), ERR_OK);
	assert_int_equal(fds.n, 2);
	other = fds.fd[0];
	kept = ipc_fds_take(&fds, 1);
	ipc_fds_close(&fds);
	assert_int_equal(write(kept, "x", 1), 1);
	assert_true(fcntl(kept, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	assert_int_equal(ipc_fds_take(&fds, 1), -1);
	close(kept);
	close(p[0]);
	close(p[1]);
}

static void garbage_is_refused_and_its_descriptors_closed(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff, 0x07, 0x01 };
	struct fixture *f = *state;
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds;
	int p[2];
	char c;

	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	assert_int_equal(ipc_send_bytes(f->pair[0], garbage, sizeof garbage, &p[1], 1), ERR_OK);
	close(p[1]);
	assert_int_equal(ipc_recv(f->ctx, f->pair[1], &to_main__descriptor, &msg, &fds), ERR_PROTO);
	assert_null(msg);
	assert_int_equal(read(p[0], &c, 1), 0); /* the last writer is gone */
	close(p[0]);
}

static void a_closed_peer_is_told_apart_from_silence(void **state)
{
	struct fixture *f = *state;
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds;

	shutdown(f->pair[0], SHUT_RDWR);
	assert_int_equal(ipc_recv(f->ctx, f->pair[1], &to_main__descriptor, &msg, &fds),
			 ERR_CLOSED);
	assert_int_equal(send_mtu(f->pair[1], 1, NULL, 0), ERR_CLOSED);
}

static void limits_are_kept(void **state)
{
	struct fixture *f = *state;
	WorkerLog log = WORKER_LOG__INIT;
	ToMain m = TO_MAIN__INIT;
	int fds[IPC_FDS_MAX + 1] = { 0 };

	log.event = talloc_size(f->ctx, IPC_MSG_MAX + 1);
	memset(log.event, 'x', IPC_MSG_MAX);
	log.event[IPC_MSG_MAX] = '\0';
	m.msg_case = TO_MAIN__MSG_LOG;
	m.log = &log;
	assert_int_equal(ipc_send(f->pair[0], &m.base, NULL, 0), ERR_TOO_LONG);
	assert_int_equal(send_mtu(f->pair[0], 1, fds, IPC_FDS_MAX + 1), ERR_TOO_LONG);
	log.event[IPC_MSG_MAX / 2] = '\0';
	assert_int_equal(ipc_send(f->pair[0], &m.base, NULL, 0), ERR_OK);
}

static void a_full_socket_says_again(void **state)
{
	struct fixture *f = *state;
	enum err err = ERR_OK;

	for (unsigned i = 0; i < 1000000 && !err; i++)
		err = send_mtu(f->pair[0], i, NULL, 0);
	assert_int_equal(err, ERR_AGAIN);
}

static void an_empty_top_message_has_no_case(void **state)
{
	struct fixture *f = *state;
	ToWorker m = TO_WORKER__INIT;
	ProtobufCMessage *msg = NULL;
	uint8_t unused = 0;

	assert_int_equal(ipc_case(&m.base), 0);
	assert_int_equal(ipc_unpack(f->ctx, &to_worker__descriptor, &unused, 0, &msg), ERR_OK);
	assert_int_equal(ipc_case(msg), 0);
	assert_string_equal(ipc_case_name(msg->descriptor, 0), "?");
}

static void counters_outlive_their_message(void **state)
{
	struct fixture *f = *state;
	/* rx_bytes 5, dropped 7, and a field 99 of two bytes that nobody knows. */
	static const uint8_t data[] = { 0x08, 5, 0x30, 7, 0x9a, 0x06, 2, 'x', 'y' };
	ProtobufCMessage *msg = NULL;
	uint8_t packed[64];

	assert_int_equal(ipc_unpack(f->ctx, &counters__descriptor, data, sizeof data, &msg),
			 ERR_OK);
	Counters c = ipc_counters((const Counters *)msg);
	talloc_free(talloc_parent(msg));
	assert_int_equal(c.rx_bytes, 5);
	assert_int_equal(c.dropped, 7);
	assert_int_equal(counters__pack(&c, packed), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_arrives_with_its_case_and_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(counters_outlive_their_message, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_travel_and_untaken_ones_are_closed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_refused_and_its_descriptors_closed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_peer_is_told_apart_from_silence, setup,
						teardown),
		cmocka_unit_test_setup_teardown(limits_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_socket_says_again, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_top_message_has_no_case, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
