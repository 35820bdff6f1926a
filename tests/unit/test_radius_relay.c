/* test_radius_relay.c - what passes between radcli and a RADIUS server. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <talloc.h>

#include "auth/backend/radius_relay.h"
#include "auth/backend/radius_sign.h"

enum { SOON_MS = 2000, NEVER_MS = 150 };

static const char secret[] = "testing123", token[] = "session";

/* The relay runs in a child; we are the library and the server. */
struct rig {
	struct radius_relay *relay;
	int library, server, done[2];
	struct sockaddr_in at, relay_outer;
	pid_t child;
};

static int udp_socket(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static struct rig *start(bool needed)
{
	struct rig *r = talloc_zero(NULL, struct rig);
	struct radius_way way = { .host = "127.0.0.1",
				  .secret = secret,
				  .seal = true,
				  .seal_needed = needed,
				  .token = token };
	struct sockaddr_in server, library;
	const char *why;

	r->server = udp_socket(&server);
	r->library = udp_socket(&library);
	way.port = ntohs(server.sin_port);
	assert_int_equal(radius_relay_open(r, &way, &r->relay, &why), ERR_OK);
	r->at = library;
	r->at.sin_port = htons(radius_relay_port(r->relay));
	assert_int_equal(pipe(r->done), 0);
	r->child = fork();
	if (r->child == 0) {
		close(r->done[1]);
		close(r->server);
		_exit((int)radius_relay_run(r->relay, r->done[0]));
	}
	return r;
}

static void stop(struct rig *r, enum radius_relay_end wanted)
{
	int status;

	close(r->done[1]);
	assert_int_equal(waitpid(r->child, &status, 0), r->child);
	assert_int_equal(WEXITSTATUS(status), wanted);
	close(r->done[0]);
	close(r->library);
	if (r->server >= 0)
		close(r->server);
	talloc_free(r);
}

/* An Access-Request with NAME as its session id; gives its length. */
static size_t request(uint8_t packet[RADIUS_PACKET_MAX], const char *name)
{
	size_t n = strlen(name), len = RADIUS_HEADER + 2 + n;

	memset(packet, 7, RADIUS_HEADER);
	packet[0] = 1;
	packet[2] = 0;
	packet[3] = (uint8_t)len;
	packet[RADIUS_HEADER] = 44;
	packet[RADIUS_HEADER + 1] = (uint8_t)(2 + n);
	memcpy(packet + RADIUS_HEADER + 2, name, n);
	return len;
}

static void send_request(struct rig *r, const char *name)
{
	uint8_t packet[RADIUS_PACKET_MAX];
	size_t len = request(packet, name);

	assert_int_equal(
		sendto(r->library, packet, len, 0, (struct sockaddr *)&r->at, sizeof r->at), len);
}

static bool comes(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* The request as the server gets it; the vector is the same everywhere. */
static void take_request(struct rig *r)
{
	uint8_t packet[RADIUS_PACKET_MAX];
	socklen_t len = sizeof r->relay_outer;
	ssize_t n;

	assert_true(comes(r->server, SOON_MS));
	n = recvfrom(r->server, packet, sizeof packet, 0, (struct sockaddr *)&r->relay_outer, &len);
	assert_true(n > RADIUS_HEADER);
	assert_int_equal(radius_check(packet, (size_t)n, packet + 4, secret), RADIUS_SEAL_GOOD);
}

/* A reply that is sealed with KEY, or not at all; its vector is the request's, for the seal. */
static void send_reply(struct rig *r, int from, const char *key)
{
	uint8_t packet[RADIUS_PACKET_MAX];
	size_t len = RADIUS_HEADER;

	memset(packet, 7, RADIUS_HEADER);
	packet[0] = 2;
	packet[2] = 0;
	packet[3] = (uint8_t)len;
	if (key)
		assert_int_equal(radius_seal(packet, &len, key), ERR_OK);
	(void)sendto(from, packet, len, 0, (struct sockaddr *)&r->relay_outer,
		     sizeof r->relay_outer);
}

static void requests_and_replies_pass_sealed(void **state)
{
	struct rig *r = start(true);
	uint8_t packet[RADIUS_PACKET_MAX];

	(void)state;
	send_request(r, token);
	take_request(r);
	send_reply(r, r->server, secret);
	assert_true(comes(r->library, SOON_MS));
	assert_int_equal(recv(r->library, packet, sizeof packet, 0), RADIUS_HEADER + 18);
	stop(r, RADIUS_RELAY_DONE);
}

static void requests_of_others_are_not_sealed_for_them(void **state)
{
	struct rig *r = start(true);

	(void)state;
	send_request(r, "guessed");
	send_request(r, "");
	assert_int_equal(sendto(r->library, "x", 1, 0, (struct sockaddr *)&r->at, sizeof r->at), 1);
	assert_false(comes(r->server, NEVER_MS));
	stop(r, RADIUS_RELAY_DONE);
}

static void forged_replies_are_dropped_and_the_right_one_passes(void **state)
{
	struct rig *r = start(true);
	struct sockaddr_in at;
	int stranger = udp_socket(&at);

	(void)state;
	send_request(r, token);
	take_request(r);
	send_reply(r, r->server, "wrong");
	send_reply(r, r->server, NULL);
	send_reply(r, stranger, secret);
	assert_false(comes(r->library, NEVER_MS));
	send_reply(r, r->server, secret);
	assert_true(comes(r->library, SOON_MS));
	close(stranger);
	stop(r, RADIUS_RELAY_DONE);
}

static void unsealed_replies_pass_where_none_is_needed(void **state)
{
	struct rig *r = start(false);

	(void)state;
	send_request(r, token);
	take_request(r);
	send_reply(r, r->server, "wrong");
	assert_false(comes(r->library, NEVER_MS));
	send_reply(r, r->server, NULL);
	assert_true(comes(r->library, SOON_MS));
	stop(r, RADIUS_RELAY_DONE);
}

static void a_closed_port_ends_it(void **state)
{
	struct rig *r = start(true);
	siginfo_t ended;

	(void)state;
	close(r->server);
	r->server = -1;
	send_request(r, token);
	assert_int_equal(waitid(P_PID, (id_t)r->child, &ended, WEXITED | WNOWAIT), 0);
	stop(r, RADIUS_RELAY_REFUSED);
}

static void names_without_address_are_told(void **state)
{
	struct radius_way way = { .host = "name.invalid", .port = 1, .token = token };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct radius_relay *relay;
	const char *why = NULL;

	(void)state;
	assert_int_equal(radius_relay_open(ctx, &way, &relay, &why), ERR_NOT_FOUND);
	assert_string_equal(why, "the name has no address");
	way.host = "127.0.0.1";
	way.bindaddr = "192.0.2.77";
	assert_int_equal(radius_relay_open(ctx, &way, &relay, &why), ERR_NOT_FOUND);
	assert_string_equal(why, "no way to the server");
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_replies_pass_sealed),
		cmocka_unit_test(requests_of_others_are_not_sealed_for_them),
		cmocka_unit_test(forged_replies_are_dropped_and_the_right_one_passes),
		cmocka_unit_test(unsealed_replies_pass_where_none_is_needed),
		cmocka_unit_test(a_closed_port_ends_it),
		cmocka_unit_test(names_without_address_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
