/* steer.c - reads the UDP listeners and hands datagrams, with a socket connected to their source,
 * to the workers they belong to.  Never answers: there is nothing to amplify (protocol.md 6.3). */
#include "main/steer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/convert.h"
#include "main/netns.h"
#include "main/sessions.h"
#include "main/workers.h"
#include "wire/dtls_hello.h"

enum {
	BATCH = 16, /* datagrams per recvmmsg */
	ROUNDS = 8, /* of them per wake-up, so that TCP and workers are served in a flood */
	DATAGRAM = 16384 + 256, /* larger ones are no DTLS records */
	PEER_BUFFER = 2 << 20,	/* of a session's own socket */
	HELLO_MS = 3000,	/* repeated hellos go to the connected socket anyway */
	STRAY_MS = 250,		/* for one session; its worker tries to decrypt each */
	HANDOVERS = 4000,	/* per second and server */
	UNREAD = 16,		/* messages a worker may leave unread and still get datagrams */
};

struct udp_listener {
	struct steer *st;
	ev_io io;
	uint16_t port;
	struct netns *ns; /* NULL: our own */
	struct udp_listener *next;
};

struct steer {
	struct main_ctx *m;
	struct udp_listener *first;
	uint64_t second; /* the one that handovers are counted in */
	unsigned handovers;
	uint8_t (*data)[DATAGRAM]; /* of BATCH; not zeroed, so that unused ones cost no memory */
	struct sockaddr_storage from[BATCH];
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
};

/* One datagram and its way. */
struct datagram {
	const uint8_t *data;
	size_t len;
	struct sockaddr_storage from, local;
	socklen_t from_len, local_len;
	struct endpoint source;
	const struct netns *ns; /* of the listener it came to */
};

/* ---- the decision -------------------------------------------------------- */

void steer_read(const uint8_t *data, size_t len, struct steer_hint *out)
{
	struct dtls_hello hello;

	*out = (struct steer_hint){ .kind = STEER_NOTHING };
	if (dtls_is_handshake(data, len)) {
		if (dtls_hello_parse(data, len, false, &hello) == ERR_OK) {
			out->kind = STEER_HELLO;
			out->id_len = hello.id_len;
			memcpy(out->id, hello.id, hello.id_len);
			return;
		}
		/* Later flights of a handshake whose client moved cannot be told from junk. */
		return;
	}
	if (dtls_is_record(data, len))
		out->kind = STEER_RECORD;
}

bool steer_accepts(const struct session *s, enum steer_kind kind, const struct endpoint *from,
		   uint64_t now_ms)
{
	if (s->state != SESSION_OPEN || !s->conf || s->conf->no_udp)
		return false;
	if (s->conf->deny_roaming && !addr_equal(&from->addr, &s->remote.addr))
		return false;
	if (kind == STEER_RECORD)
		return now_ms - s->stray_ms >= STRAY_MS;
	return kind == STEER_HELLO &&
	       (now_ms - s->hello_ms >= HELLO_MS || !endpoint_equal(from, &s->hello_from));
}

static struct session *find(struct main_ctx *m, const struct datagram *d, struct steer_hint *hint)
{
	steer_read(d->data, d->len, hint);
	switch (hint->kind) {
	case STEER_HELLO:
		return session_by_app_id(m, hint->id, hint->id_len);
	case STEER_RECORD:
		return session_by_peer(m, &d->source.addr);
	case STEER_NOTHING:
		break;
	}
	return NULL;
}

/* A flood of spoofed datagrams must not make us do nothing else than making sockets. */
static bool may_hand_over(struct steer *st, uint64_t now_ms)
{
	if (now_ms / 1000 != st->second) {
		st->second = now_ms / 1000;
		st->handovers = 0;
	}
	return st->handovers++ < HANDOVERS;
}

/* ---- handing over -------------------------------------------------------- */

static void force_buffer(int fd, int forced, int plain)
{
	int size = PEER_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size))
		(void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

/* With MTU discovery packets carry DF and the worker hears of what does not fit; without it the
 * kernel fragments (config.md 8.8). */
static void set_options(const struct main_ctx *m, int fd, int family)
{
	bool probe = m->conf->try_mtu_discovery;
	int v4 = probe ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
	int v6 = probe ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT;

	force_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	force_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
}

/* A socket for exactly this client and the address it wrote to; -1 on failure. */
static int connected_socket(const struct main_ctx *m, const struct datagram *d)
{
	int family = d->local.ss_family, one = 1;
	int fd = netns_socket(d->ns, family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	set_options(m, fd, family);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one)) ||
	    bind(fd, (const struct sockaddr *)&d->local, d->local_len) ||
	    connect(fd, (const struct sockaddr *)&d->from, d->from_len)) {
		log_err(NULL, "udp-socket-failed", kv_addr("ip", &d->source.addr),
			kv_str("reason", strerror(errno)));
		close(fd);
		return -1;
	}
	return fd;
}

static void steer_one(struct steer *st, const struct datagram *d, unsigned depth);

/* Between bind and connect the socket took datagrams of anybody: they go their own way.  (Those of
 * its own client are repeated hellos.)  DEPTH bounds sockets made while draining sockets. */
static void drain_foreign(struct steer *st, int fd, const struct datagram *mine, unsigned depth)
{
	uint8_t data[2048];
	struct datagram d = {
		.data = data, .local = mine->local, .local_len = mine->local_len, .ns = mine->ns
	};

	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t n;

		d.from_len = sizeof d.from;
		n = recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&d.from,
			     &d.from_len);
		if (n < 0)
			return;
		d.len = (size_t)n;
		if (depth && !endpoint_from_sockaddr((struct sockaddr *)&d.from, &d.source) &&
		    !endpoint_equal(&d.source, &mine->source))
			steer_one(st, &d, depth - 1);
	}
}

static void hand_over(struct session *s, const struct datagram *d, bool hello, int fd)
{
	UdpPeer peer = UDP_PEER__INIT;
	Endpoint remote = ipc_endpoint(&d->source);

	peer.remote = &remote;
	peer.datagram = (ProtobufCBinaryData){ d->len, (uint8_t *)(uintptr_t)d->data };
	peer.hello = hello;
	worker_tell(s->worker, TO_WORKER__MSG_UDP, &peer, fd);
}

static void steer_one(struct steer *st, const struct datagram *d, unsigned depth)
{
	struct steer_hint hint;
	struct session *s = find(st->m, d, &hint);
	uint64_t now = clock_ms();
	int fd;

	if (!s || !steer_accepts(s, hint.kind, &d->source, now) ||
	    chan_queued(s->worker->chan) > UNREAD || !may_hand_over(st, now))
		return;
	fd = connected_socket(st->m, d);
	if (fd < 0)
		return;
	drain_foreign(st, fd, d, depth);
	if (hint.kind == STEER_HELLO) {
		s->hello_ms = now;
		s->hello_from = d->source;
	} else {
		s->stray_ms = now;
	}
	log_debug(&s->log, "udp-handed-over", kv_addr("from", &d->source.addr),
		  kv_u64("port", d->source.port), kv_u64("hello", hint.kind == STEER_HELLO));
	hand_over(s, d, hint.kind == STEER_HELLO, fd);
	close(fd);
}

/* ---- reading ------------------------------------------------------------- */

/* A socket for both families, as systemd makes them, tells IPv4 addresses mapped into IPv6. */
static void set_local6(const struct in6_addr *in, struct addr *out)
{
	bool mapped = IN6_IS_ADDR_V4MAPPED(in);

	out->family = mapped ? AF_INET : AF_INET6;
	memcpy(out->bytes, in->s6_addr + (mapped ? 12 : 0), mapped ? 4 : sizeof in->s6_addr);
}

/* The local address the datagram was sent to, from the control data. */
static bool local_of(struct msghdr *h, uint16_t port, struct datagram *d)
{
	struct endpoint ep = { .port = port };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			ep.addr.family = AF_INET;
			memcpy(ep.addr.bytes, &info.ipi_addr, sizeof info.ipi_addr);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			set_local6(&info.ipi6_addr, &ep.addr);
		}
	}
	if (!ep.addr.family)
		return false;
	d->local_len = endpoint_to_sockaddr(&ep, &d->local);
	/* A link-local address is nothing without its interface. */
	if (ep.addr.family == AF_INET6)
		((struct sockaddr_in6 *)&d->local)->sin6_scope_id =
			((const struct sockaddr_in6 *)h->msg_name)->sin6_scope_id;
	return true;
}

static void read_one(struct steer *st, const struct udp_listener *u, unsigned i)
{
	struct msghdr *h = &st->msg[i].msg_hdr;
	struct datagram d = { .data = st->data[i], .len = st->msg[i].msg_len, .ns = u->ns };

	if (h->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return;
	d.from = st->from[i];
	d.from_len = h->msg_namelen;
	if (endpoint_from_sockaddr((struct sockaddr *)&d.from, &d.source) ||
	    !local_of(h, u->port, &d))
		return;
	if (d.source.addr.family == AF_INET) /* it may have been mapped */
		d.from_len = endpoint_to_sockaddr(&d.source, &d.from);
	steer_one(st, &d, 1);
}

static void prepare(struct steer *st)
{
	for (unsigned i = 0; i < BATCH; i++) {
		st->iov[i] = (struct iovec){ st->data[i], DATAGRAM };
		st->msg[i].msg_hdr = (struct msghdr){ .msg_name = &st->from[i],
						      .msg_namelen = sizeof st->from[i],
						      .msg_iov = &st->iov[i],
						      .msg_iovlen = 1,
						      .msg_control = st->control[i],
						      .msg_controllen = sizeof st->control[i] };
	}
}

static void on_datagrams(struct ev_loop *loop, ev_io *w, int revents)
{
	const struct udp_listener *u = w->data;
	struct steer *st = u->st;

	(void)loop;
	(void)revents;
	for (unsigned round = 0; round < ROUNDS; round++) {
		int n;

		prepare(st);
		n = recvmmsg(w->fd, st->msg, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			read_one(st, u, (unsigned)i);
		if (n < BATCH)
			return;
	}
}

static int steer_free(struct steer *st)
{
	for (struct udp_listener *u = st->first; u; u = u->next) {
		ev_io_stop(st->m->loop, &u->io);
		close(u->io.fd);
	}
	return 0;
}

enum err steer_new(struct main_ctx *m, struct steer **out)
{
	struct steer *st = talloc_zero(m, struct steer);

	if (!st)
		return ERR_NOMEM;
	st->data = talloc_size(st, (size_t)BATCH * DATAGRAM);
	if (!st->data) {
		talloc_free(st);
		return ERR_NOMEM;
	}
	st->m = m;
	talloc_set_destructor(st, steer_free);
	*out = st;
	return ERR_OK;
}

enum err steer_add(struct steer *st, int fd)
{
	struct udp_listener *u = talloc_zero(st, struct udp_listener);
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct endpoint ep = { 0 };

	if (!u) {
		close(fd);
		return ERR_NOMEM;
	}
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		(void)!endpoint_from_sockaddr((struct sockaddr *)&ss, &ep);
	u->st = st;
	u->port = ep.port;
	if (netns_of_socket(u, fd, &u->ns))
		log_warn(NULL, "namespace-unknown", kv_str("of", "a UDP listener"),
			 kv_str("reason", strerror(errno)));
	ev_io_init(&u->io, on_datagrams, fd, EV_READ);
	u->io.data = u;
	u->next = st->first;
	st->first = u;
	ev_io_start(st->m->loop, &u->io);
	return ERR_OK;
}
