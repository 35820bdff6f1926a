/* radius_relay.c - carries datagrams between radcli and a RADIUS server. */
#include "auth/backend/radius_relay.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/backend/radius_sign.h"
#include "base/addr.h"

enum { TYPE_SESSION_ID = 44, VECTOR_AT = 4, ID_AT = 1 };

struct radius_relay {
	struct radius_way way;
	int inner, outer; /* towards the library, towards the server */
	struct sockaddr_in library;
	bool refused;
	bool known; /* LIBRARY has an address, VECTOR and ID are of the request under way */
	uint8_t vector[RADIUS_VECTOR];
	uint8_t id;
	unsigned sealed, dropped;
};

static int relay_destroy(struct radius_relay *r)
{
	if (r->inner >= 0)
		close(r->inner);
	if (r->outer >= 0)
		close(r->outer);
	return 0;
}

/* ---- opening -------------------------------------------------------------- */

static int inner_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* "*" means any address. */
static bool bind_to(int fd, int family, const char *text)
{
	struct endpoint from = { .port = 0 };
	struct sockaddr_storage ss;
	socklen_t len;

	if (!text || strcmp(text, "*") == 0)
		return true;
	if (addr_parse(text, &from.addr) || from.addr.family != family)
		return false;
	len = endpoint_to_sockaddr(&from, &ss);
	return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

/* The first address of the name that can be spoken to. */
static int outer_socket(const struct addrinfo *list, const char *bindaddr)
{
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd >= 0 && bind_to(fd, a->ai_family, bindaddr) &&
		    connect(fd, a->ai_addr, a->ai_addrlen) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static enum err resolve(const struct radius_way *way, struct addrinfo **out)
{
	struct addrinfo hint = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
	char port[8];

	snprintf(port, sizeof port, "%u", way->port);
	return getaddrinfo(way->host, port, &hint, out) ? ERR_NOT_FOUND : ERR_OK;
}

enum err radius_relay_open(TALLOC_CTX *ctx, const struct radius_way *way, struct radius_relay **out,
			   const char **why)
{
	struct radius_relay *r = talloc_zero(ctx, struct radius_relay);
	struct addrinfo *list;

	if (!r)
		return ERR_NOMEM;
	r->way = *way;
	r->outer = -1;
	r->inner = inner_socket();
	talloc_set_destructor(r, relay_destroy);
	*why = "no socket on the loopback address";
	if (r->inner < 0)
		goto out;
	*why = "the name has no address";
	if (resolve(way, &list))
		goto out;
	*why = "no way to the server";
	r->outer = outer_socket(list, way->bindaddr);
	freeaddrinfo(list);
out:
	if (r->outer < 0) {
		talloc_free(r);
		return ERR_NOT_FOUND;
	}
	*out = r;
	return ERR_OK;
}

uint16_t radius_relay_port(const struct radius_relay *r)
{
	struct sockaddr_in at = { .sin_port = 0 };
	socklen_t len = sizeof at;

	return getsockname(r->inner, (struct sockaddr *)&at, &len) < 0 ? 0 : ntohs(at.sin_port);
}

/* ---- carrying ------------------------------------------------------------- */

/* Anybody on this machine can send to the inner socket.  What is not ours must not get our seal:
 * the session id in ours is a secret until the login is over. */
static bool is_ours(const struct radius_relay *r, const uint8_t *packet, size_t len)
{
	return radius_is_packet(packet, len) &&
	       radius_has(packet, len, TYPE_SESSION_ID, r->way.token, strlen(r->way.token));
}

/* False: this machine cannot send. */
static bool to_server(struct radius_relay *r)
{
	uint8_t packet[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof from;
	ssize_t n =
		recvfrom(r->inner, packet, sizeof packet, 0, (struct sockaddr *)&from, &from_len);
	size_t len = n > 0 ? (size_t)n : 0;

	if (!is_ours(r, packet, len))
		return true;
	r->library = from;
	r->known = true;
	r->id = packet[ID_AT];
	memcpy(r->vector, packet + VECTOR_AT, sizeof r->vector);
	if (r->way.seal && radius_seal(packet, &len, r->way.secret))
		return false;
	/* A refusal of an earlier datagram is reported here, and again when we read. */
	return send(r->outer, packet, len, 0) >= 0 || errno == ECONNREFUSED || errno == EAGAIN;
}

/* A forged reply is dropped, not fatal: the right one may still come (RFC 5080 2.2.2). */
static bool is_sealed(struct radius_relay *r, const uint8_t *packet, size_t len)
{
	if (!r->way.seal)
		return true;
	switch (radius_check(packet, len, r->vector, r->way.secret)) {
	case RADIUS_SEAL_GOOD:
		r->sealed++;
		return true;
	case RADIUS_SEAL_NONE:
		return !r->way.seal_needed;
	case RADIUS_SEAL_BAD:
		break;
	}
	return false;
}

/* False: the server's port is closed, and another server will do. */
static bool to_library(struct radius_relay *r)
{
	uint8_t packet[RADIUS_PACKET_MAX];
	ssize_t n = recv(r->outer, packet, sizeof packet, 0);
	size_t len = n > 0 ? (size_t)n : 0;

	r->refused = r->refused || (n < 0 && errno == ECONNREFUSED);
	if (n < 0)
		return !r->refused || r->way.patient;
	/* What does not answer the request under way is an old one's duplicate. */
	if (!r->known || !radius_is_packet(packet, len) || packet[ID_AT] != r->id)
		return true;
	if (is_sealed(r, packet, len))
		(void)sendto(r->inner, packet, len, 0, (struct sockaddr *)&r->library,
			     sizeof r->library);
	else
		r->dropped++;
	return true;
}

enum radius_relay_end radius_relay_run(struct radius_relay *r, int done_fd)
{
	struct pollfd p[] = { { .fd = done_fd, .events = POLLIN },
			      { .fd = r->inner, .events = POLLIN },
			      { .fd = r->outer, .events = POLLIN } };

	for (;;) {
		if (poll(p, sizeof p / sizeof p[0], -1) < 0) {
			if (errno == EINTR)
				continue;
			return RADIUS_RELAY_BROKEN;
		}
		if (p[0].revents)
			return RADIUS_RELAY_DONE;
		if (p[2].revents && !to_library(r))
			return RADIUS_RELAY_REFUSED;
		if (p[1].revents && !to_server(r))
			return RADIUS_RELAY_BROKEN;
	}
}

unsigned radius_relay_sealed(const struct radius_relay *r)
{
	return r->sealed;
}

unsigned radius_relay_dropped(const struct radius_relay *r)
{
	return r->dropped;
}

bool radius_relay_refused(const struct radius_relay *r)
{
	return r->refused;
}
