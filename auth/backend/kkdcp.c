/* kkdcp.c - the backend `kkdcp`: one Kerberos message to a KDC, one answer back (protocol.md 8,
 * RFC 4120 7.2).
 *
 * Messages come and go with the four bytes of their length in front, as TCP wants them; a datagram
 * has none.  The client waits for one answer to one request, so that it is us who repeats datagrams
 * and goes on to the next server. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/backend/kkdcp.h"
#include "auth/backend/work.h"
#include "base/bytes.h"
#include "base/clock.h"

enum {
	PREFIX = 4,
	MESSAGE_MAX = 65536, /* with the prefix */
	AGAIN_MS = 1000,     /* an unanswered datagram is repeated after this, then twice that */
};

/* One try with one address. */
struct attempt {
	int fd;
	uint64_t until; /* clock_ms */
	const uint8_t *request;
	size_t len;
	uint8_t *reply; /* room for MESSAGE_MAX */
	size_t reply_len;
};

/* ---- waiting -------------------------------------------------------------- */

static enum err wait_for(int fd, short events, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		int n;

		if (now >= until)
			return ERR_TIMEOUT;
		n = poll(&p, 1, (int)(until - now));
		if (n > 0)
			return ERR_OK;
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
	}
}

/* Whether an operation failed only because it would have had to wait. */
static bool must_wait(void)
{
	return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS;
}

/* ---- TCP ------------------------------------------------------------------ */

static enum err send_all(const struct attempt *a)
{
	size_t done = 0;

	while (done < a->len) {
		ssize_t n = send(a->fd, a->request + done, a->len - done, MSG_NOSIGNAL);
		enum err err = ERR_OK;

		if (n >= 0)
			done += (size_t)n;
		else
			err = must_wait() ? wait_for(a->fd, POLLOUT, a->until) : ERR_SYS;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* The reply's bytes up to END. */
static enum err receive_until(struct attempt *a, size_t end)
{
	while (a->reply_len < end) {
		ssize_t n = recv(a->fd, a->reply + a->reply_len, end - a->reply_len, 0);
		enum err err = ERR_OK;

		if (n > 0)
			a->reply_len += (size_t)n;
		else if (n == 0)
			err = ERR_CLOSED;
		else
			err = must_wait() ? wait_for(a->fd, POLLIN, a->until) : ERR_SYS;
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err talk_tcp(struct attempt *a)
{
	const uint8_t *p = a->reply;
	enum err err = send_all(a);
	size_t len;

	if (!err)
		err = receive_until(a, PREFIX);
	if (err)
		return err;
	len = get_be32(p);
	if (!len || len > MESSAGE_MAX - PREFIX)
		return ERR_PROTO;
	return receive_until(a, PREFIX + len);
}

/* ---- UDP ------------------------------------------------------------------ */

/* The socket is connected: nobody else's datagrams arrive. */
static enum err talk_udp(struct attempt *a)
{
	uint64_t again = AGAIN_MS;
	ssize_t n = -1;
	enum err err = ERR_TIMEOUT;

	while (err == ERR_TIMEOUT && clock_ms() < a->until) {
		uint64_t next = clock_ms() + again;

		if (send(a->fd, a->request + PREFIX, a->len - PREFIX, MSG_NOSIGNAL) < 0)
			return ERR_SYS;
		err = wait_for(a->fd, POLLIN, next < a->until ? next : a->until);
		again *= 2;
	}
	if (err)
		return err;
	n = recv(a->fd, a->reply + PREFIX, MESSAGE_MAX - PREFIX, 0);
	if (n <= 0)
		return n < 0 ? ERR_SYS : ERR_PROTO;
	put_be32(a->reply, (uint32_t)n);
	a->reply_len = PREFIX + (size_t)n;
	return ERR_OK;
}

/* ---- servers -------------------------------------------------------------- */

static enum err connect_to(struct attempt *a, const struct addrinfo *ai)
{
	int failed = 0;
	socklen_t len = sizeof failed;
	enum err err;

	if (connect(a->fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return ERR_OK;
	err = must_wait() ? wait_for(a->fd, POLLOUT, a->until) : ERR_SYS;
	if (err)
		return err;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &failed, &len) < 0)
		return ERR_SYS;
	errno = failed;
	return failed ? ERR_SYS : ERR_OK;
}

static enum err try_address(struct attempt *a, const struct kdc *kdc, const struct addrinfo *ai)
{
	enum err err;
	int why;

	a->reply_len = 0;
	a->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return ERR_SYS;
	err = connect_to(a, ai);
	if (!err)
		err = kdc->tcp ? talk_tcp(a) : talk_udp(a);
	why = errno;
	close(a->fd);
	errno = why; /* the caller names it */
	return err;
}

/* Every address of the server has its share of the time that is left until END. */
static enum err try_server(struct attempt *a, const struct kdc *kdc, uint64_t end,
			   const char **reason)
{
	const struct addrinfo hints = {
		.ai_socktype = kdc->tcp ? SOCK_STREAM : SOCK_DGRAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	unsigned left = 0;
	int status = getaddrinfo(kdc->host, kdc->port, &hints, &list);
	enum err err = ERR_NOT_FOUND;

	if (status) {
		*reason = gai_strerror(status);
		return err;
	}
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		left++;
	for (const struct addrinfo *ai = list; ai && err; ai = ai->ai_next, left--) {
		uint64_t now = clock_ms();

		a->until = now + (end > now ? end - now : 0) / left;
		err = try_address(a, kdc, ai);
		*reason = err_reason(err);
	}
	freeaddrinfo(list);
	return err;
}

static enum err kkdcp_relay(TALLOC_CTX *ctx, const void *conf, const uint8_t *payload, size_t len,
			    struct verdict *out)
{
	const struct kkdcp *k = conf;
	uint64_t end = clock_ms() + k->time_ms;
	struct attempt a = { .request = payload, .len = len };
	enum err err = ERR_NOT_FOUND;
	char *reasons = talloc_strdup(ctx, "");

	a.reply = talloc_size(ctx, MESSAGE_MAX);
	if (!a.reply || len <= PREFIX || len > MESSAGE_MAX)
		return a.reply ? ERR_PROTO : ERR_NOMEM;
	for (size_t i = 0; err && i < k->n; i++) {
		uint64_t now = clock_ms();
		const char *reason = "";

		err = try_server(&a, &k->item[i], now + (end > now ? end - now : 0) / (k->n - i),
				 &reason);
		if (err)
			reasons = talloc_asprintf_append(reasons, "%s%s: %s", i ? ", " : "",
							 k->item[i].name, reason);
	}
	/* A reply that is there needs no reason. */
	out->kind = err ? VERDICT_REJECT : VERDICT_ACCEPT;
	out->reason = reasons;
	out->payload = a.reply;
	out->payload_len = err ? 0 : a.reply_len;
	return ERR_OK;
}

const struct backend_work backend_work = {
	.traits = &backend_kkdcp,
	.relay = kkdcp_relay,
};
