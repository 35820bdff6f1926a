/* netns.c - setns(2) there and back. */
#include "main/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static const char folder[] = "/run/netns"; /* of ip-netns(8) */

struct netns {
	int fd, own; /* it, and the one to go back to */
};

static int netns_free(struct netns *ns)
{
	close(ns->fd);
	if (ns->own >= 0)
		close(ns->own);
	return 0;
}

/* FD is taken, closed on error too. */
static enum err netns_new(TALLOC_CTX *ctx, int fd, struct netns **out)
{
	struct netns *ns = talloc_zero(ctx, struct netns);

	if (!ns) {
		close(fd);
		return ERR_NOMEM;
	}
	ns->fd = fd;
	ns->own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	talloc_set_destructor(ns, netns_free);
	if (ns->own < 0) {
		talloc_free(ns);
		return ERR_SYS;
	}
	*out = ns;
	return ERR_OK;
}

static bool is_own(const struct netns *ns)
{
	struct stat it, own;

	return fstat(ns->fd, &it) == 0 && fstat(ns->own, &own) == 0 && it.st_dev == own.st_dev &&
	       it.st_ino == own.st_ino;
}

enum err netns_by_name(TALLOC_CTX *ctx, const char *name, struct netns **out)
{
	char path[PATH_MAX];
	struct netns *ns;
	enum err err;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? ERR_SYS : netns_new(ctx, fd, &ns);
	if (err)
		return err;
	/* Now and not at the first socket: only so it is said what is wrong. */
	err = netns_enter(ns);
	if (err) {
		int why = errno;

		talloc_free(ns);
		errno = why;
		return err;
	}
	netns_leave(ns);
	*out = ns;
	return ERR_OK;
}

enum err netns_of_socket(TALLOC_CTX *ctx, int fd, struct netns **out)
{
	struct netns *ns;
	int found = ioctl(fd, SIOCGSKNS);
	enum err err = found < 0 ? ERR_SYS : netns_new(ctx, found, &ns);

	if (err)
		return err;
	(void)fcntl(found, F_SETFD, FD_CLOEXEC);
	if (is_own(ns))
		TALLOC_FREE(ns);
	*out = ns;
	return ERR_OK;
}

enum err netns_enter(const struct netns *ns)
{
	return !ns || setns(ns->fd, CLONE_NEWNET) == 0 ? ERR_OK : ERR_SYS;
}

void netns_leave(const struct netns *ns)
{
	int why = errno;

	/* A main that stayed would make its TUN devices and run its hooks in a foreign network. */
	if (ns && setns(ns->own, CLONE_NEWNET))
		fatal_bug("cannot return to the own network namespace");
	errno = why;
}

int netns_socket(const struct netns *ns, int family, int type, int protocol)
{
	int fd;

	if (netns_enter(ns))
		return -1;
	fd = socket(family, type, protocol);
	netns_leave(ns);
	return fd;
}
