/* ldap_net.c - connect(2) with a deadline. */
#include "auth/backend/ldap_net.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum err ldap_net_wait(int fd, short events, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now;
	int n = 0;

	while (n <= 0 && (now = clock_ms()) < until)
		n = poll(&p, 1, (int)(until - now));
	return n > 0 ? ERR_OK : ERR_TIMEOUT;
}

/* What a connection attempt came to. */
static enum err finish(int fd, uint64_t until)
{
	int error = 0;
	socklen_t len = sizeof error;
	enum err err = ldap_net_wait(fd, POLLOUT, until);

	if (err)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
		return ERR_CLOSED;
	return ERR_OK;
}

static enum err try_address(int family, const struct sockaddr *address, socklen_t len,
			    uint64_t until, int *out)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err err = ERR_OK;

	if (fd < 0)
		return ERR_SYS;
	if (connect(fd, address, len) < 0)
		err = errno == EINPROGRESS ? finish(fd, until) : ERR_CLOSED;
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}

enum err ldap_net_connect(const char *host, uint16_t port, uint64_t until, int *fd)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	enum err err = ERR_NOT_FOUND;
	uint64_t left = 0;
	char service[16];

	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &list))
		return ERR_NOT_FOUND;
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = list; err && a; a = a->ai_next, left--) {
		uint64_t now = clock_ms(), rest = now < until ? until - now : 0;

		/* An address that leads nowhere must leave time for the others. */
		err = try_address(a->ai_family, a->ai_addr, a->ai_addrlen, now + rest / left, fd);
	}
	freeaddrinfo(list);
	return err;
}

enum err ldap_net_connect_local(const char *path, int *fd)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	str_copy(un.sun_path, sizeof un.sun_path, path);
	return try_address(AF_UNIX, (const struct sockaddr *)&un, sizeof un, 0, fd);
}
