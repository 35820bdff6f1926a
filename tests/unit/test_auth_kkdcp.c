/* test_auth_kkdcp.c - carrying Kerberos messages to KDCs that the test plays (protocol.md §8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <talloc.h>

#include "auth/backend/kkdcp.h"
#include "auth/backend/work.h"
#include "base/clock.h"

static const uint8_t request[] = { 0, 0, 0, 5, 'a', 's', 'k', 'e', 'd' };

/* A socket on a port of the kernel's choice. */
static int listen_on(int type, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 5), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* A KDC that reads one request over TCP and writes REPLY in two pieces. */
static pid_t play_tcp(int fd, const void *reply, size_t len)
{
	pid_t pid = fork();
	uint8_t got[64];
	size_t n = 0;

	if (pid == 0) {
		int c = accept(fd, NULL, NULL);

		while (n < sizeof request)
			n += (size_t)read(c, got + n, sizeof got - n);
		if (memcmp(got, request, sizeof request) != 0)
			_exit(1);
		if (len && write(c, reply, len < 3 ? len : 3) < 0)
			_exit(1);
		usleep(20000);
		if (len > 3 && write(c, (const uint8_t *)reply + 3, len - 3) < 0)
			_exit(1);
		_exit(0);
	}
	close(fd);
	return pid;
}

/* A KDC that does not hear the first LOST datagrams. */
static pid_t play_udp(int fd, const void *reply, size_t len, unsigned lost)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		uint8_t got[64];
		ssize_t n;

		do
			n = recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &from_len);
		while (lost--);
		if (n != sizeof request - 4 || memcmp(got, request + 4, (size_t)n) != 0)
			_exit(1);
		_exit(sendto(fd, reply, len, 0, (struct sockaddr *)&from, from_len) < 0);
	}
	close(fd);
	return pid;
}

static void ended_well(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Relays REQUEST through SERVERS, NULL-terminated. */
static struct verdict relay(TALLOC_CTX *ctx, const char *const *servers)
{
	struct backend_pair pair[4];
	struct backend_pairs options = { pair, 0 };
	struct verdict v = { .kind = VERDICT_ERROR };
	const char *why = NULL;
	void *conf = NULL;

	for (; servers[options.n]; options.n++)
		pair[options.n] = (struct backend_pair){ "server", servers[options.n] };
	assert_int_equal(backend_kkdcp.open(ctx, &options, &conf, &why), ERR_OK);
	assert_int_equal(backend_work.relay(ctx, conf, request, sizeof request, &v), ERR_OK);
	return v;
}

#define RELAY(ctx, ...) relay(ctx, (const char *const[]){ __VA_ARGS__, NULL })

/* The KDC PID on PORT gives its answer, which arrives with its length. */
static void comes_back(const char *proto, uint16_t port, pid_t pid)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct verdict v =
		RELAY(ctx, talloc_asprintf(ctx, "%s@127.0.0.1:%u", proto, (unsigned)port));

	assert_int_equal(v.kind, VERDICT_ACCEPT);
	assert_int_equal(v.payload_len, 8);
	assert_memory_equal(v.payload, "\0\0\0\4back", 8);
	ended_well(pid);
	talloc_free(ctx);
}

static void tcp_answer_comes_back_with_its_length(void **state)
{
	uint16_t port;
	int fd = listen_on(SOCK_STREAM, &port);

	(void)state;
	comes_back("tcp", port, play_tcp(fd, "\0\0\0\4back", 8));
}

static void udp_goes_without_the_length_and_is_repeated(void **state)
{
	uint16_t port;
	int fd = listen_on(SOCK_DGRAM, &port);

	(void)state;
	comes_back("UDP", port, play_udp(fd, "back", 4, 1));
}

static void absurd_cut_and_missing_answers_are_none(void **state)
{
	static const struct {
		const char *reply;
		size_t len;
	} cases[] = { { "", 0 },	 { "\0\0", 2 },		{ "\0\0\0\4bac", 7 },
		      { "\0\0\0\0", 4 }, { "\0\1\0\0xxxx", 8 }, { "\xff\xff\xff\xffxxxx", 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		uint16_t port;
		int fd = listen_on(SOCK_STREAM, &port);
		pid_t pid = play_tcp(fd, cases[i].reply, cases[i].len);
		struct verdict v =
			RELAY(ctx, talloc_asprintf(ctx, "tcp@127.0.0.1:%u", (unsigned)port));

		assert_int_equal(v.kind, VERDICT_REJECT);
		assert_int_equal(v.payload_len, 0);
		waitpid(pid, NULL, 0);
		talloc_free(ctx);
	}
}

static void next_server_is_asked_when_one_is_down(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint16_t port, nobody;
	int fd = listen_on(SOCK_STREAM, &port), gone = listen_on(SOCK_STREAM, &nobody);
	pid_t pid = play_tcp(fd, "\0\0\0\4back", 8);
	struct verdict v;

	(void)state;
	close(gone);
	v = RELAY(ctx, talloc_asprintf(ctx, "tcp@127.0.0.1:%u", (unsigned)nobody),
		  talloc_asprintf(ctx, "udp@127.0.0.1:%u", (unsigned)nobody),
		  talloc_asprintf(ctx, "tcp@127.0.0.1:%u", (unsigned)port));
	assert_int_equal(v.kind, VERDICT_ACCEPT);
	assert_int_equal(v.payload_len, 8);
	ended_well(pid);
	talloc_free(ctx);
}

/* Servers that take the request and say nothing. */
static void silent_servers_have_their_share_of_the_time(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint16_t tcp, udp, good;
	int fds[] = { listen_on(SOCK_STREAM, &tcp), listen_on(SOCK_DGRAM, &udp) };
	int fd = listen_on(SOCK_STREAM, &good);
	pid_t pid = play_tcp(fd, "\0\0\0\4back", 8);
	struct kdc kdc[] = {
		{ true, "a", "127.0.0.1", talloc_asprintf(ctx, "%u", (unsigned)tcp) },
		{ false, "b", "127.0.0.1", talloc_asprintf(ctx, "%u", (unsigned)udp) },
		{ true, "c", "127.0.0.1", talloc_asprintf(ctx, "%u", (unsigned)good) },
	};
	const struct kkdcp all = { kdc, 3, 1500 }, silent = { kdc, 2, 300 };
	struct verdict v = { .kind = VERDICT_ERROR };
	uint64_t start;

	(void)state;
	assert_int_equal(backend_work.relay(ctx, &all, request, sizeof request, &v), ERR_OK);
	assert_int_equal(v.kind, VERDICT_ACCEPT);
	start = clock_ms();
	assert_int_equal(backend_work.relay(ctx, &silent, request, sizeof request, &v), ERR_OK);
	assert_int_equal(v.kind, VERDICT_REJECT);
	assert_string_equal(v.reason, "a: time limit passed, b: time limit passed");
	assert_in_range(clock_ms() - start, 300, 3000);
	ended_well(pid);
	close(fds[0]);
	close(fds[1]);
	talloc_free(ctx);
}

static void each_server_that_failed_is_named(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint16_t port;
	int fd = listen_on(SOCK_STREAM, &port);
	const char *name = talloc_asprintf(ctx, "tcp@127.0.0.1:%u", (unsigned)port);
	struct verdict v;

	(void)state;
	close(fd);
	v = RELAY(ctx, name, "tcp@[::ffff:127.0.0.1]:1");
	assert_int_equal(v.kind, VERDICT_REJECT);
	assert_non_null(strstr(v.reason, name));
	assert_non_null(strstr(v.reason, ": Connection refused, tcp@[::ffff:127.0.0.1]:1: "));
	talloc_free(ctx);
}

static void servers_are_read_strictly(void **state)
{
	static const char *const bad[] = { "",	      "tcp@",	 "tcp@host",  "tcp@host:",
					   "tcp@:88", "host:88", "http@h:88", "tcp@[]:88" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *why = NULL;
	void *conf = NULL;
	const struct kkdcp *k;
	struct backend_pair pair = { "server", "udp@[2001:db8::1]:750" };
	const struct backend_pairs options = { &pair, 1 };

	(void)state;
	assert_int_equal(backend_kkdcp.open(ctx, &options, &conf, &why), ERR_OK);
	k = conf;
	assert_int_equal(k->n, 1);
	assert_false(k->item[0].tcp);
	assert_string_equal(k->item[0].host, "2001:db8::1");
	assert_string_equal(k->item[0].port, "750");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		pair.value = bad[i];
		assert_int_equal(backend_kkdcp.open(ctx, &options, &conf, &why), ERR_CONF);
	}
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_answer_comes_back_with_its_length),
		cmocka_unit_test(udp_goes_without_the_length_and_is_repeated),
		cmocka_unit_test(absurd_cut_and_missing_answers_are_none),
		cmocka_unit_test(next_server_is_asked_when_one_is_down),
		cmocka_unit_test(silent_servers_have_their_share_of_the_time),
		cmocka_unit_test(each_server_that_failed_is_named),
		cmocka_unit_test(servers_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
