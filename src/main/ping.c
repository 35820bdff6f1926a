/* ping.c - one raw socket for one question: the kernel gives it what comes from that address. */
#include "main/ping.h"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "wire/icmp_echo.h"

enum { ANSWER_MAX = 1500 };

struct ping {
	struct ev_loop *loop;
	ev_io readable;
	ev_timer patience;
	int fd, family;
	uint8_t token[ICMP_ECHO_TOKEN];
	void (*done)(void *arg, bool answered);
	void *arg;
};

static int ping_destroy(struct ping *p)
{
	ev_io_stop(p->loop, &p->readable);
	ev_timer_stop(p->loop, &p->patience);
	if (p->fd >= 0)
		close(p->fd);
	return 0;
}

static void end(struct ping *p, bool answered)
{
	ev_io_stop(p->loop, &p->readable);
	ev_timer_stop(p->loop, &p->patience);
	p->done(p->arg, answered);
}

/* Errors that come from the network mean that nobody is there. */
static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ping *p = w->data;
	uint8_t data[ANSWER_MAX];
	ssize_t n = recv(p->fd, data, sizeof data, 0);

	(void)loop;
	(void)revents;
	if (n > 0 && icmp_echo_answers(p->family, p->token, data, (size_t)n))
		end(p, true);
}

static void on_patience_end(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	end(w->data, false);
}

/* Only answers are let through: a machine on the internet hears all kinds of ICMP. */
static void filter(const struct ping *p)
{
	struct icmp_filter v4 = { ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter v6;

	ICMP6_FILTER_SETBLOCKALL(&v6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
	if (p->family == AF_INET)
		(void)setsockopt(p->fd, SOL_RAW, ICMP_FILTER, &v4, sizeof v4);
	else
		(void)setsockopt(p->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof v6);
}

static enum err ask(struct ping *p, const struct addr *addr)
{
	struct endpoint to = { .addr = *addr };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&to, &ss);
	uint8_t request[ICMP_ECHO_LEN];

	p->fd = socket(p->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       p->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (p->fd < 0)
		return ERR_SYS;
	filter(p);
	secret_random(p->token, sizeof p->token);
	icmp_echo_request(p->family, p->token, request);
	if (connect(p->fd, (struct sockaddr *)&ss, len) < 0 ||
	    send(p->fd, request, sizeof request, MSG_NOSIGNAL) < 0)
		return ERR_SYS;
	return ERR_OK;
}

enum err ping_start(TALLOC_CTX *owner, struct ev_loop *loop, const struct addr *addr,
		    double seconds, void (*done)(void *arg, bool answered), void *arg,
		    struct ping **out)
{
	struct ping *p = talloc_zero(owner, struct ping);
	enum err err;

	if (!p)
		return ERR_NOMEM;
	*p = (struct ping){ .loop = loop, .fd = -1, .done = done, .arg = arg };
	p->family = addr->family;
	ev_init(&p->readable, on_readable);
	ev_timer_init(&p->patience, on_patience_end, seconds, 0);
	talloc_set_destructor(p, ping_destroy);
	err = ask(p, addr);
	if (err) {
		talloc_free(p);
		return err;
	}
	p->readable.data = p->patience.data = p;
	ev_io_set(&p->readable, p->fd, EV_READ);
	ev_io_start(loop, &p->readable);
	ev_timer_start(loop, &p->patience);
	*out = p;
	return ERR_OK;
}
