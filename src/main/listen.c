/* listen.c - listening sockets and the accept loop. */
#include "main/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "main/ban.h"
#include "main/netns.h"
#include "main/restore.h"
#include "main/steer.h"
#include "main/workers.h"

enum {
	BACKLOG = 4096,	      /* the kernel takes the smaller of this and somaxconn */
	BURST = 64,	      /* connections accepted per wake-up */
	LISTEN_MAX = 64,      /* addresses of a host name */
	UDP_BUFFER = 8 << 20, /* first datagrams of all clients pass here */
	BUSY_LOGINS = 512,    /* rate-limit-ms: half of what authentication is thought to hold */
	OUT_OF_FDS_MS = 500,
};

struct listener {
	struct main_ctx *m;
	ev_io io;
	int fd;
};

struct listeners {
	struct listener tcp[LISTEN_MAX];
	unsigned n_tcp, n_udp;
	int udp[LISTEN_MAX];
	bool accepting;
	ev_timer pause;	     /* rate-limit-ms, or no descriptors left */
	int64_t full_logged; /* UNIX time of the last "maximum client limit" */
	struct netns *ns;    /* where they are; NULL: in our own namespace */
	struct main_ctx *m;
};

/* ---- accepting ----------------------------------------------------------- */

static void watch(struct listeners *l)
{
	bool on = l->accepting && !ev_is_active(&l->pause);

	for (unsigned i = 0; i < l->n_tcp; i++) {
		if (on)
			ev_io_start(l->m->loop, &l->tcp[i].io);
		else
			ev_io_stop(l->m->loop, &l->tcp[i].io);
	}
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	ev_timer_stop(loop, w);
	watch(w->data);
}

static void pause_accepting(struct listeners *l, unsigned ms)
{
	ev_timer_stop(l->m->loop, &l->pause);
	ev_timer_set(&l->pause, (double)ms / 1000, 0);
	ev_timer_start(l->m->loop, &l->pause);
	watch(l);
}

/* config.md 8.1: only while authentication is behind. */
static bool limit_rate(struct listeners *l)
{
	uint32_t ms = l->m->conf->rate_limit_ms;
	char text[64];

	if (!ms || (workers_in_login(l->m) <= BUSY_LOGINS && !chan_queued(l->m->auth)))
		return false;
	snprintf(text, sizeof text, "delaying accepts for %u ms", ms);
	log_info(NULL, "accept-delayed", kv_text(text));
	pause_accepting(l, ms);
	return true;
}

static bool is_full(struct listeners *l)
{
	uint32_t max = l->m->conf->max_clients;
	int64_t now = clock_unix();
	char text[80];

	if (!max || workers_count(l->m) < max)
		return false;
	if (now != l->full_logged) { /* an attacker must not fill the log */
		snprintf(text, sizeof text, "reached maximum client limit (active: %zu)",
			 workers_count(l->m));
		log_info(NULL, "full", kv_text(text));
		l->full_logged = now;
	}
	return true;
}

static bool is_banned(struct main_ctx *m, const struct addr *from)
{
	int64_t now = clock_unix();

	if (m->conf->listen_proxy_proto)
		return false; /* proxied.c does it for the client behind the proxy */
	ban_charge(m->bans, from, BAN_CONNECTION, m->conf->ban_points_connection, now);
	return ban_is_refused(m->bans, from, now);
}

/* protocol.md 7: anyone who may write headers could be anyone. */
static bool is_foreign(const struct main_ctx *m, const struct addr *from)
{
	const struct conf *c = m->conf;

	if (!c->listen_proxy_proto || !c->listen_proxy_from.n ||
	    conf_nets_have(&c->listen_proxy_from, from))
		return false;
	log_info(NULL, "no-proxy", kv_addr("ip", from),
		 kv_str("why", "not one of listen-proxy-from"));
	return true;
}

static void serve(struct listeners *l, int fd, const struct sockaddr *from)
{
	struct endpoint remote, local = { 0 };
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	enum err err;
	int one = 1;

	if (endpoint_from_sockaddr(from, &remote) || is_foreign(l->m, &remote.addr) ||
	    is_banned(l->m, &remote.addr) || is_full(l))
		return;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		(void)!endpoint_from_sockaddr((struct sockaddr *)&ss, &local);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	err = worker_start(l->m, fd, &remote, &local);
	if (err)
		log_err(NULL, "no-worker", kv_addr("ip", &remote.addr), kv_err(err));
}

static bool accept_one(struct listener *one)
{
	struct listeners *l = one->io.data;
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	int fd = accept4(one->fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_err(NULL, "accept-failed", kv_str("reason", strerror(errno)));
			pause_accepting(l, OUT_OF_FDS_MS);
		}
		return errno == EINTR || errno == ECONNABORTED;
	}
	serve(l, fd, (struct sockaddr *)&ss);
	close(fd);
	return !limit_rate(l);
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listeners *l = w->data;
	struct listener *one = (struct listener *)((char *)w - offsetof(struct listener, io));

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < BURST && l->accepting; i++)
		if (!accept_one(one))
			return;
}

void listen_accept(struct main_ctx *m, bool on)
{
	if (!m->listen || m->listen->accepting == on)
		return;
	m->listen->accepting = on;
	watch(m->listen);
}

/* ---- opening ------------------------------------------------------------- */

static void add_tcp(struct listeners *l, int fd)
{
	struct listener *one = &l->tcp[l->n_tcp++];

	one->m = l->m;
	one->fd = fd;
	ev_io_init(&one->io, on_acceptable, fd, EV_READ);
	one->io.data = l;
}

static void add_udp(struct listeners *l, int fd)
{
	l->udp[l->n_udp++] = fd;
	if (steer_add(l->m->steer, fd))
		log_err(NULL, "no-steering", kv_err(ERR_NOMEM));
}

/* The kernel's limit does not bind us, who have CAP_NET_ADMIN. */
static void big_buffer(int fd)
{
	int size = UDP_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* The local address of each datagram, for the answer must come from it. */
static bool want_local_address(int fd, int family)
{
	int one = 1;

	return family == AF_INET6
		       ? !setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one)
		       : !setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
}

static bool prepare(int fd, const struct addrinfo *ai)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one))
		return false;
	/* One socket per family, whatever bindv6only says. */
	if (ai->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one))
		return false;
	if (ai->ai_socktype != SOCK_DGRAM)
		return true;
	big_buffer(fd);
	return want_local_address(fd, ai->ai_family);
}

static int open_one(const struct netns *ns, const struct addrinfo *ai)
{
	bool tcp = ai->ai_socktype == SOCK_STREAM;
	struct endpoint ep;
	char text[ENDPOINT_TEXT] = "?";
	int fd = netns_socket(ns, ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			      ai->ai_protocol);

	if (!endpoint_from_sockaddr(ai->ai_addr, &ep))
		endpoint_print(&ep, text);
	if (fd < 0) /* a kernel without IPv6, most of all */
		return -1;
	if (!prepare(fd, ai) || bind(fd, ai->ai_addr, ai->ai_addrlen) ||
	    (tcp && listen(fd, BACKLOG))) {
		log_err(NULL, "listen-failed", kv_str("proto", tcp ? "TCP" : "UDP"),
			kv_str("addr", text), kv_str("reason", strerror(errno)));
		close(fd);
		return -1;
	}
	fprintf(stderr, "listening (%s) on %s...\n", tcp ? "TCP" : "UDP", text);
	return fd;
}

/* Every address of HOST (NULL: all of this machine, IPv4 first). */
static void open_all(struct listeners *l, const char *host, unsigned port, int type)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = type,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list;
	char service[16];
	int rc;

	snprintf(service, sizeof service, "%u", port);
	rc = getaddrinfo(host, service, &hints, &list);
	if (rc) {
		log_err(NULL, "listen-failed", kv_str("host", host),
			kv_str("reason", gai_strerror(rc)));
		return;
	}
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		bool tcp = type == SOCK_STREAM;
		unsigned *n = tcp ? &l->n_tcp : &l->n_udp;
		int fd = *n < LISTEN_MAX ? open_one(l->ns, ai) : -1;

		if (fd < 0)
			continue;
		main_keep_fd(l->m, tcp ? FD_KIND__FD_LISTEN_TCP : FD_KIND__FD_LISTEN_UDP, *n, fd,
			     NULL);
		if (tcp)
			add_tcp(l, fd);
		else
			add_udp(l, fd);
	}
	freeaddrinfo(list);
}

/* A socket of systemd is as plain as it made it; one of ours is set up already. */
static void adopt_udp(struct listeners *l, int fd)
{
	int family = AF_INET, one = 1;
	socklen_t len = sizeof family;

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	big_buffer(fd);
	/* The sockets connected to clients share its address. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	(void)want_local_address(fd, family);
	add_udp(l, fd);
}

static void take_restored(struct listeners *l)
{
	int fd;

	while (l->n_tcp < LISTEN_MAX &&
	       (fd = restore_take(l->m->restore, FD_KIND__FD_LISTEN_TCP)) >= 0)
		add_tcp(l, fd);
	while (l->n_udp < LISTEN_MAX &&
	       (fd = restore_take(l->m->restore, FD_KIND__FD_LISTEN_UDP)) >= 0)
		adopt_udp(l, fd);
}

static int listeners_free(struct listeners *l)
{
	ev_timer_stop(l->m->loop, &l->pause);
	for (unsigned i = 0; i < l->n_tcp; i++) {
		ev_io_stop(l->m->loop, &l->tcp[i].io);
		close(l->tcp[i].fd);
	}
	return 0; /* UDP sockets belong to the steering */
}

static enum err listeners_new(struct main_ctx *m, struct listeners **out)
{
	struct listeners *l = talloc_zero(m, struct listeners);

	if (!l)
		return ERR_NOMEM;
	l->m = m;
	ev_timer_init(&l->pause, on_pause_over, 0, 0);
	l->pause.data = l;
	talloc_set_destructor(l, listeners_free);
	*out = l;
	return ERR_OK;
}

/* listen-netns; false: it was said that there is no such namespace. */
static bool find_netns(struct listeners *l)
{
	const char *name = l->m->conf->listen_netns;
	char text[256];

	if (!name || !netns_by_name(l, name, &l->ns))
		return true;
	snprintf(text, sizeof text,
		 "listen-netns: cannot enter the network namespace '%s': %s (ip netns list names "
		 "those that exist)",
		 name, strerror(errno));
	main_fail(l->m, text);
	return false;
}

/* Those that were handed to us say themselves where they are. */
static void find_netns_of_restored(struct listeners *l)
{
	if (netns_of_socket(l, l->tcp[0].fd, &l->ns))
		log_warn(NULL, "namespace-unknown", kv_str("of", "the listeners"),
			 kv_str("reason", strerror(errno)));
}

static bool open_configured(struct listeners *l)
{
	const struct conf *c = l->m->conf;

	if (!find_netns(l))
		return false;
	open_all(l, c->listen_host, c->tcp_port, SOCK_STREAM);
	if (!l->n_tcp) { /* perhaps another server has both ports: leave it its UDP */
		main_fail(l->m, "Could not listen to any TCP ports");
		return false;
	}
	if (c->udp_port)
		open_all(l, c->udp_listen_host ? c->udp_listen_host : c->listen_host, c->udp_port,
			 SOCK_DGRAM);
	return true;
}

bool listen_open(struct main_ctx *m)
{
	if (listeners_new(m, &m->listen)) {
		main_fail(m, err_text(ERR_NOMEM));
		return false;
	}
	take_restored(m->listen);
	if (!m->listen->n_tcp)
		return open_configured(m->listen);
	find_netns_of_restored(m->listen);
	return true;
}

const struct netns *listen_netns(const struct main_ctx *m)
{
	return m->listen ? m->listen->ns : NULL;
}

void listen_close(struct main_ctx *m)
{
	if (!m->listen)
		return;
	for (unsigned i = 0; i < m->listen->n_tcp; i++)
		main_drop_fd(m, FD_KIND__FD_LISTEN_TCP, i);
	for (unsigned i = 0; i < m->listen->n_udp; i++)
		main_drop_fd(m, FD_KIND__FD_LISTEN_UDP, i);
	TALLOC_FREE(m->listen);
	TALLOC_FREE(m->steer);
}

bool listen_has_udp(const struct main_ctx *m)
{
	return m->listen && m->listen->n_udp;
}
