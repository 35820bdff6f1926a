/* tunnel.c - from the granted CONNECT to the end of the tunnel. */
#include "worker/tunnel.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/loop.h"
#include "worker/messages.h"
#include "worker/tell.h"
#include "worker/tls.h"

enum { SEND_TIMEOUT = 10 }; /* seconds; protocol.md 5.11 */

struct tunnel {
	struct worker *w;
	struct loop *loop;
	struct path *path;
	char *dtls_priorities;
	ev_io term; /* SIGTERM */
	ev_timer term_late;
};

/* ---- what the path and the channels tell ---- */

static void on_mtu(void *arg, unsigned data_mtu)
{
	struct tunnel *t = arg;

	t->w->facts.mtu = data_mtu;
	tell_tun_mtu(t->w, data_mtu);
	tell_facts(t->w);
}

static void on_dtls(void *arg, const char *cipher)
{
	struct worker *w = ((struct tunnel *)arg)->w;

	talloc_free((void *)(uintptr_t)w->facts.dtls_cipher);
	w->facts.dtls_cipher = cipher ? talloc_strdup(w, cipher) : NULL;
	if (cipher)
		log_info(&w->log, "dtls-up", kv_str("cipher", cipher));
	else
		log_info(&w->log, "dtls-down");
	tell_facts(w);
}

static void on_rekey(void *arg, bool tls13)
{
	struct worker *w = ((struct tunnel *)arg)->w;

	if (tls13)
		log_debug(&w->log, "tls-rekey", kv_text("TLS 1.3 session keys refreshed (rekey)"));
	else
		log_info(&w->log, "tls-rekey", kv_text("TLS rehandshake completed"));
}

static void on_udp_peer(void *arg, const struct endpoint *peer)
{
	struct worker *w = ((struct tunnel *)arg)->w;

	w->facts.udp_remote = *peer;
	tell_facts(w);
}

static void on_counters(void *arg)
{
	struct tunnel *t = arg;

	tell_counters(t->w, path_counters(t->path));
}

static const struct path_ops path_ops = {
	.on_mtu = on_mtu,
	.on_dtls = on_dtls,
	.on_rekey = on_rekey,
	.on_udp_peer = on_udp_peer,
	.on_counters = on_counters,
};

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct tunnel *t = arg;

	messages_dispatch(t->w, chan == t->w->main_chan ? FROM_MAIN : FROM_AUTH, msg, fds);
	if (t->w->ending.set)
		loop_stop(t->loop);
}

/* The supervisor holds the other end of both channels, too: only when it is gone do they close. */
static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct tunnel *t = arg;

	(void)chan;
	(void)why;
	worker_end(t->w, END_REASON__END_SERVER, false);
	loop_stop(t->loop);
}

static const struct chan_ops chan_ops = { .on_message = on_message, .on_closed = on_closed };

/* ---- putting it together ---- */

/* The networks whose addresses a client may send from besides its own; child of CTX. */
static enum err networks_behind(TALLOC_CTX *ctx, const struct conf_routes *iroutes,
				struct path_limits *out)
{
	struct addr_net *net;

	if (iroutes->n == 0)
		return ERR_OK;
	net = talloc_array(ctx, struct addr_net, (unsigned)iroutes->n);
	if (!net)
		return ERR_NOMEM;
	for (size_t i = 0; i < iroutes->n; i++)
		if (!iroutes->item[i].is_default)
			net[out->behind_n++] = iroutes->item[i].net;
	out->behind = net;
	return ERR_OK;
}

static enum path_priority priority_kind(const struct conf_prio *p)
{
	if (!p->set)
		return PATH_PRIORITY_NONE;
	return p->tos ? PATH_PRIORITY_TOS : PATH_PRIORITY_SOCKET;
}

/* What debug-datapath leaves out, in the path's terms; main has left out its part. */
static unsigned techniques_off(uint32_t conf)
{
	static const struct {
		enum conf_datapath conf;
		enum path_off off;
	} map[] = {
		{ CONF_DATAPATH_USO, PATH_OFF_USO },
		{ CONF_DATAPATH_UDP_GSO, PATH_OFF_UDP_GSO },
		{ CONF_DATAPATH_UDP_GRO, PATH_OFF_UDP_GRO },
		{ CONF_DATAPATH_BATCH, PATH_OFF_BATCH },
		{ CONF_DATAPATH_SEALING, PATH_OFF_SEALING },
	};
	unsigned off = 0;

	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
		off |= conf & map[i].conf ? map[i].off : 0;
	return off;
}

static void fill_limits(const struct worker *w, const struct tunnel_plan *plan,
			struct path_limits *out)
{
	const struct host_conf *host = w->vhost->host;
	const struct tunnel_grant *g = plan->grant;

	*out = (struct path_limits){
		.v4 = g->v4.addr,
		.v6 = plan->v6,
		.dpd = plan->dpd,
		.idle_timeout = plan->idle_timeout,
		.session_left = g->session_left,
		.switch_to_tcp = host->switch_to_tcp_timeout,
		.rekey = plan->rekey_time,
		.rekey_ssl = plan->rekey == CSTP_REKEY_SSL,
		.link_mtu = plan->link_mtu,
		.data_mtu = plan->data_mtu,
		.probe_mtu = w->image->conf->try_mtu_discovery,
		.outer_v6 = w->peer.outer_v6,
		.deny_roaming = g->conf->deny_roaming,
		.rx_rate = g->conf->rx_data_per_sec,
		.tx_rate = g->conf->tx_data_per_sec,
		.send_timeout = SEND_TIMEOUT,
		.output_buffer = host->output_buffer,
		.priority_kind = priority_kind(&g->conf->net_priority),
		.priority = g->conf->net_priority.value,
		.tcp_encoding = plan->cstp_encoding,
		.udp_encoding = plan->dtls_encoding,
		.no_compress = host->no_compress_limit < UINT_MAX
				       ? (unsigned)host->no_compress_limit
				       : UINT_MAX,
		.tun_headers = g->tun_headers,
		.tun_uso = g->tun_uso,
		.off = techniques_off(w->image->conf->debug_datapath),
	};
}

static enum err make_path(struct tunnel *t, const struct tunnel_plan *plan)
{
	struct worker *w = t->w;
	struct path_limits limits;
	struct path_dtls dtls = { .choice = plan->dtls };
	int tun = w->tun;
	enum err err;

	t->dtls_priorities = tls_dtls_priorities(t, w);
	if (!t->dtls_priorities)
		return ERR_NOMEM;
	dtls.priorities = t->dtls_priorities;
	memcpy(dtls.session_id, plan->grant->app_id, sizeof dtls.session_id);
	memcpy(dtls.master, plan->master_secret, sizeof dtls.master);
	fill_limits(w, plan, &limits);
	err = networks_behind(t, &plan->grant->conf->iroute, &limits);
	if (err)
		return err;
	if (fcntl(tun, F_SETFL, O_NONBLOCK) < 0)
		return ERR_SYS;
	w->tun = -1; /* transferred, as is the client's socket */
	err = path_new(t, w->tls, w->client, tun, &limits, &dtls, &path_ops, t, &t->path);
	if (!err)
		w->tls = NULL; /* transferred */
	return err;
}

static enum err make_channels(struct tunnel *t)
{
	struct worker *w = t->w;
	struct ev_loop *ev = loop_ev(t->loop);
	enum err err =
		chan_new(t, ev, w->main_fd, &to_worker__descriptor, &chan_ops, t, &w->main_chan);

	if (!err)
		err = chan_new(t, ev, w->auth_fd, &to_worker__descriptor, &chan_ops, t,
			       &w->auth_chan);
	return err;
}

/* Main knows whether the whole service was asked to end; it shall have heard of that by then. */
static const double term_delay = 0.5;

static void on_term_late(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct tunnel *t = timer->data;

	(void)ev;
	(void)revents;
	tell_terminated(t->w);
}

static void on_term(struct ev_loop *ev, ev_io *io, int revents)
{
	struct tunnel *t = io->data;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(io->fd, &info, sizeof info) > 0)
		;
	ev_timer_start(ev, &t->term_late);
}

static void watch_term(struct tunnel *t)
{
	struct ev_loop *ev = loop_ev(t->loop);

	ev_timer_init(&t->term_late, on_term_late, term_delay, 0);
	ev_io_init(&t->term, on_term, t->w->term_fd, EV_READ);
	t->term.data = t->term_late.data = t;
	ev_io_start(ev, &t->term);
}

static void announce(struct worker *w, const struct tunnel_plan *plan)
{
	w->state = WORKER_TUNNEL;
	w->facts.mtu = plan->data_mtu;
	w->facts.dpd = plan->dpd;
	w->facts.keepalive = plan->keepalive;
	w->facts.cstp_encoding = cstp_encoding_name(plan->cstp_encoding);
	w->facts.dtls_encoding = cstp_encoding_name(plan->dtls_encoding);
	if (plan->dtls.mode == DTLS_PSK)
		log_info(&w->log, "dtls-offered", kv_text("setting up DTLS-PSK connection"));
	if (plan->dtls.mode == DTLS_LEGACY)
		log_info(&w->log, "dtls-offered",
			 kv_text("setting up legacy DTLS (resumption) connection"));
	tell_facts(w); /* first: who listens for events hears of them with the connect */
	tell_tunnel_up(w);
}

/* ---- the end ---- */

EndReason tunnel_end_reason(enum path_end end)
{
	switch (end) {
	case PATH_END_USER:
		return END_REASON__END_USER;
	case PATH_END_PAUSE:
		return END_REASON__END_CLIENT_PAUSE;
	case PATH_END_CLOSED:
		return END_REASON__END_CONNECTION_LOST;
	case PATH_END_DPD:
		return END_REASON__END_DPD;
	case PATH_END_IDLE:
		return END_REASON__END_IDLE;
	case PATH_END_SESSION_TIMEOUT:
		return END_REASON__END_SESSION_TIMEOUT;
	case PATH_END_ERROR:
	case PATH_END_STALLED:
		return END_REASON__END_ERROR;
	case PATH_END_NONE:
		break;
	}
	return END_REASON__END_UNSPECIFIED;
}

bool tunnel_end_keeps(EndReason reason, bool tell_client)
{
	switch (reason) {
	case END_REASON__END_USER:
	case END_REASON__END_SESSION_TIMEOUT:
	case END_REASON__END_ADMIN:
		return false;
	case END_REASON__END_SERVER:
		return !tell_client;
	default:
		return true;
	}
}

/* What openconnect shows its user. */
static const char *goodbye_text(EndReason reason)
{
	switch (reason) {
	case END_REASON__END_IDLE:
		return "idle timeout";
	case END_REASON__END_SESSION_TIMEOUT:
		return "session timeout";
	case END_REASON__END_ADMIN:
		return "disconnected by the administrator";
	default:
		return "the server ends the session";
	}
}

/* The lines log watchers know (admin.md 4.3). */
static void log_end(const struct worker *w, const struct tunnel_plan *plan, enum path_end end)
{
	char text[96];

	switch (end) {
	case PATH_END_DPD:
		log_notice(&w->log, "dpd-timeout",
			   kv_text("connection timeout (DPD); tearing down connection"));
		break;
	case PATH_END_IDLE:
		snprintf(text, sizeof text, "idle timeout reached for process (%u secs)",
			 plan->idle_timeout);
		log_err(&w->log, "idle-timeout", kv_text(text));
		break;
	case PATH_END_SESSION_TIMEOUT:
		snprintf(text, sizeof text, "session timeout reached for process (%u secs)",
			 plan->grant->conf->session_timeout);
		log_notice(&w->log, "session-timeout", kv_text(text));
		break;
	default:
		log_debug(&w->log, "tunnel-end", kv_u64("end", end));
		break;
	}
}

/* A server that ends a session for good says so; who just loses the connection comes back. */
static void finish(struct tunnel *t, const struct tunnel_plan *plan, enum path_end end)
{
	struct worker *w = t->w;

	if (end)
		worker_end(w, tunnel_end_reason(end),
			   end == PATH_END_IDLE || end == PATH_END_SESSION_TIMEOUT);
	log_end(w, plan, end);
	if (w->ending.tell_client)
		path_say_goodbye(t->path, goodbye_text(w->ending.reason));
}

/* Watchers before their loop. */
static int tunnel_free(struct tunnel *t)
{
	if (t->loop) {
		ev_io_stop(loop_ev(t->loop), &t->term);
		ev_timer_stop(loop_ev(t->loop), &t->term_late);
	}
	TALLOC_FREE(t->w->main_chan);
	TALLOC_FREE(t->w->auth_chan);
	TALLOC_FREE(t->path);
	TALLOC_FREE(t->loop);
	return 0;
}

enum err tunnel_run(struct worker *w, struct tunnel_plan *plan)
{
	struct tunnel *t = talloc_zero(w, struct tunnel);
	enum err err;

	if (!t)
		return ERR_NOMEM;
	t->w = w;
	talloc_set_destructor(t, tunnel_free);
	tell_tun_mtu(w, plan->data_mtu);
	err = tls_write(w, plan->head.data, plan->head.len);
	if (!err)
		err = loop_new(t, &t->loop);
	if (!err)
		err = make_path(t, plan);
	if (!err)
		err = make_channels(t);
	if (err)
		return err;
	w->tunnel = t;
	watch_term(t);
	announce(w, plan);
	/* What the login and the handshake needed is not needed for the rest of a long life. */
	TALLOC_FREE(plan->head.data);
	(void)malloc_trim(0);
	if (w->image->sandbox)
		err = sandbox_enter(w->image->sandbox, SANDBOX_TUNNEL);
	if (!err)
		finish(t, plan, loop_run(t->loop, t->path));
	return err;
}

void tunnel_udp(struct tunnel *t, int fd, const struct endpoint *peer, bool hello,
		uint8_t *datagram, size_t len)
{
	path_udp(t->path, fd, peer, hello, datagram, len, clock_ms());
}

int tunnel_tun_fd(const struct tunnel *t)
{
	struct path_wants want;

	path_wants(t->path, &want);
	return want.tun;
}

const struct path_counters *tunnel_counters(const struct tunnel *t)
{
	return path_counters(t->path);
}
