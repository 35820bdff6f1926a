/* inherited.c - takes over what LISTEN_FDS tells of. */
#include "super/inherited.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { INHERITED_MAX = 64 };

/* How many descriptors are meant for this very process. */
static unsigned count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t id = 0, n = 0;

	if (!pid || !fds || str_to_u64(pid, INT32_MAX, &id) || (pid_t)id != getpid() ||
	    str_to_u64(fds, INHERITED_MAX, &n))
		return 0;
	return (unsigned)n;
}

/* The kind of listener FD is; false: none. */
static bool kind_of(int fd, FdKind *out)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		return false;
	len = sizeof listens;
	if (type == SOCK_STREAM && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
		return false;
	*out = type == SOCK_STREAM ? FD_KIND__FD_LISTEN_TCP : FD_KIND__FD_LISTEN_UDP;
	return type == SOCK_DGRAM || listens;
}

enum err inherited_keep(struct fdstore *s, unsigned *n)
{
	unsigned total = count(), kept[2] = { 0, 0 };
	enum err err = ERR_OK;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (unsigned i = 0; !err && i < total; i++) {
		int fd = INHERITED_FIRST + (int)i;
		FdKind kind;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		if (!kind_of(fd, &kind)) {
			close(fd);
			continue;
		}
		/* Main's own sockets do not block either. */
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		err = fdstore_keep(s, kind, kept[kind == FD_KIND__FD_LISTEN_UDP]++, fd, NULL, 0);
	}
	*n = kept[0] + kept[1];
	return err;
}
