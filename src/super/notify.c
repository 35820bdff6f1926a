/* notify.c - one datagram a state. */
#include "super/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
	uint64_t watchdog_us;
	bool ready, said;
	uint32_t sessions, connections; /* as said last */
};

enum err notify_address(const char *name, struct sockaddr_un *out, socklen_t *len)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	/* There are other families (vsock), for virtual machines. */
	if ((*name != '/' && *name != '@') || n < 2)
		return ERR_UNSUPPORTED;
	if (n >= sizeof sa.sun_path)
		return ERR_TOO_LONG;
	memcpy(sa.sun_path, name, n);
	if (*name == '@')
		sa.sun_path[0] = '\0';
	/* An abstract name ends where the address does, a path at its NUL. */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
	*out = sa;
	return ERR_OK;
}

static int notify_free(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	return 0;
}

/* The time for which our very process is watched; 0: not at all. */
static uint64_t watchdog_time(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t us = 0, id = (uint64_t)getpid();

	if (!usec || str_to_u64(usec, UINT64_MAX, &us) ||
	    (pid && str_to_u64(pid, INT32_MAX, &id)) || id != (uint64_t)getpid())
		return 0;
	return us;
}

/* A manager that does not read must not hold us up for long. */
static int open_socket(void)
{
	const struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	return fd;
}

enum err notify_new(TALLOC_CTX *ctx, struct notify **out)
{
	struct notify *n = talloc_zero(ctx, struct notify);
	const char *name = getenv("NOTIFY_SOCKET");

	if (!n)
		return ERR_NOMEM;
	n->fd = -1;
	talloc_set_destructor(n, notify_free);
	if (name && !notify_address(name, &n->to, &n->to_len)) {
		n->fd = open_socket();
		n->watchdog_us = watchdog_time();
	} else if (name) {
		log_warn(NULL, "no-notification", kv_str("socket", name));
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*out = n;
	return ERR_OK;
}

bool notify_is_on(const struct notify *n)
{
	return n->fd >= 0;
}

uint64_t notify_watchdog(const struct notify *n)
{
	return n->watchdog_us;
}

static void say(const struct notify *n, const char *text)
{
	if (n->fd >= 0 && sendto(n->fd, text, strlen(text), MSG_NOSIGNAL,
				 (const struct sockaddr *)&n->to, n->to_len) < 0)
		log_warn(NULL, "manager-not-told", kv_str("reason", strerror(errno)));
}

void notify_ready(struct notify *n)
{
	char text[128];

	/* In the background we are not the process that was started. */
	snprintf(text, sizeof text, "READY=1\nMAINPID=%d%s", (int)getpid(),
		 n->said ? "" : "\nSTATUS=Serving.");
	say(n, text);
	n->ready = true;
}

void notify_reloading(struct notify *n)
{
	struct timespec now;
	char text[128];

	/* The manager waits for a reload that began after it had asked. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	say(n, text);
}

void notify_stopping(struct notify *n, uint64_t patience_ms)
{
	char text[128];

	snprintf(text, sizeof text, "STOPPING=1\nSTATUS=Ending.\nEXTEND_TIMEOUT_USEC=%llu",
		 (unsigned long long)patience_ms * 1000);
	say(n, text);
	n->ready = false;
}

void notify_alive(struct notify *n)
{
	if (n->watchdog_us)
		say(n, "WATCHDOG=1");
}

void notify_sessions(struct notify *n, uint32_t sessions, uint32_t connections)
{
	char text[128];

	if (!n->ready || (n->said && n->sessions == sessions && n->connections == connections))
		return;
	snprintf(text, sizeof text, "STATUS=Serving: %u session%s, %u connection%s.", sessions,
		 sessions == 1 ? "" : "s", connections, connections == 1 ? "" : "s");
	say(n, text);
	n->said = true;
	n->sessions = sessions;
	n->connections = connections;
}
