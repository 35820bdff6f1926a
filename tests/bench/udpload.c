/* udpload.c - sends datagrams at a given rate, or counts those that arrive, many a system call:
 * the two ends of the benchmark's rows about packets per second. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/str.h"
#include "worker/path/udp_in.h"

static const char usage[] =
	"usage: udpload send ADDRESS PORT SIZE MILLISECONDS RATE\n"
	"       udpload receive ADDRESS PORT\n"
	"send: datagrams of SIZE bytes, RATE a second (0: as fast as it can); each is a packet of\n"
	"its own to the kernel.  receive: prints \"ready\", counts until SIGTERM or SIGINT, then\n"
	"prints \"received DATAGRAMS BYTES\".\n";

enum {
	BURST = 64,
	SIZE_MAX_UDP = 65507,
	TICK_NS = 1000 * 1000,
	SOCKBUF = 8 * 1024 * 1024,
};

static int complain(const char *what)
{
	fprintf(stderr, "udpload: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static enum err take_endpoint(char **argv, struct endpoint *out)
{
	uint64_t port;
	enum err err = addr_parse(argv[0], &out->addr);
	if (!err)
		err = str_to_u64(argv[1], UINT16_MAX, &port);
	if (!err)
		out->port = (uint16_t)port;
	return err;
}

/* ---- sending ---- */

struct plan {
	uint64_t size, ms, rate;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Sends at most MOST datagrams in one call; what the kernel refuses for the moment is lost.
 * Gives how many count as sent. */
static unsigned send_burst(int fd, uint8_t *data, size_t size, unsigned most)
{
	struct iovec iov = { data, size };
	struct mmsghdr mm[BURST];
	for (unsigned i = 0; i < BURST; i++)
		mm[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int k = sendmmsg(fd, mm, most < BURST ? most : BURST, 0);
	return k > 0 ? (unsigned)k : 1;
}

static void send_for(int fd, uint8_t *data, const struct plan *plan)
{
	uint64_t begin = now_ns(), now = begin, sent = 0;
	const struct timespec tick = { .tv_nsec = TICK_NS };
	while (now - begin < plan->ms * 1000000u) {
		uint64_t due = plan->rate * (now - begin) / 1000000000u;
		if (!plan->rate)
			sent += send_burst(fd, data, plan->size, BURST);
		else if (sent < due)
			sent += send_burst(fd, data, plan->size, (unsigned)(due - sent));
		else
			nanosleep(&tick, NULL);
		now = now_ns();
	}
	printf("sent %llu\n", (unsigned long long)sent);
}

static int run_send(char **argv)
{
	struct endpoint to;
	struct plan plan;
	if (take_endpoint(argv, &to) || str_to_u64(argv[2], SIZE_MAX_UDP, &plan.size) ||
	    str_to_u64(argv[3], UINT32_MAX, &plan.ms) ||
	    str_to_u64(argv[4], UINT32_MAX, &plan.rate)) {
		fputs(usage, stderr);
		return 2;
	}
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&to, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
		return complain(argv[0]);
	uint8_t *data = calloc(1, plan.size + 1);
	if (!data)
		return complain("memory");
	send_for(fd, data, &plan);
	free(data);
	close(fd);
	return EXIT_SUCCESS;
}

/* ---- receiving ---- */

static int stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void receive_until(int fd, int stop, struct udp_in *in)
{
	unsigned long long datagrams = 0, bytes = 0;
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = stop, .events = POLLIN } };
	uint8_t *data;
	size_t len;
	puts("ready");
	fflush(stdout);
	while (!(p[1].revents & POLLIN) && (poll(p, 2, -1) >= 0 || errno == EINTR)) {
		while (udp_in_read(in, fd, BURST)) {
			for (; udp_in_next(in, &data, &len); datagrams++)
				bytes += len;
		}
	}
	printf("received %llu %llu\n", datagrams, bytes);
}

static int run_receive(char **argv)
{
	struct endpoint at;
	if (take_endpoint(argv, &at)) {
		fputs(usage, stderr);
		return 2;
	}
	const int size = SOCKBUF;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), stop = stop_signals();
	struct udp_in *in;
	if (fd < 0 || stop < 0 || bind(fd, (struct sockaddr *)&ss, len))
		return complain(argv[0]);
	if (udp_in_new(NULL, &in))
		return complain("memory");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	udp_in_socket(fd);
	receive_until(fd, stop, in);
	talloc_free(in);
	close(fd);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "send"))
		return run_send(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "receive"))
		return run_receive(argv + 2);
	fputs(usage, stderr);
	return 2;
}
