/* tell.c - messages to main. */
#include "worker/tell.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ipc/convert.h"
#include "ipc/msg.h"
#include "worker/tunnel.h"

enum { LAST_WORD_MS = 1000 };

/* Strings of protobuf-c are not const; senders only read them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)(s ? s : "");
}

/* What main cannot be told is lost for occtl, and only there. */
static void send_main(struct worker *w, const ToMain *msg, int fd)
{
	unsigned n = fd >= 0;
	enum err err = w->main_chan ? chan_send(w->main_chan, &msg->base, &fd, n)
				    : ipc_send(w->main_fd, &msg->base, &fd, n);

	if (err)
		log_debug(&w->log, "not-told", kv_u64("message", msg->msg_case), kv_err(err));
}

static void fill_field(LogField *field, const struct kv *kv)
{
	log_field__init(field);
	field->key = text(kv->key);
	switch (kv->type) {
	case KV_STR:
		field->value_case = LOG_FIELD__VALUE_TEXT;
		field->text = text(kv->str);
		break;
	case KV_TEXT:
		field->value_case = LOG_FIELD__VALUE_MESSAGE;
		field->message = text(kv->str);
		break;
	case KV_U64:
		field->value_case = LOG_FIELD__VALUE_NUMBER;
		field->number = kv->u64;
		break;
	case KV_I64:
		field->value_case = LOG_FIELD__VALUE_DIFFERENCE;
		field->difference = kv->i64;
		break;
	case KV_ADDR:
		field->value_case = LOG_FIELD__VALUE_ADDR;
		field->addr = ipc_addr(kv->addr);
		break;
	case KV_END:
		break;
	}
}

/* Main adds whose event it is. */
static void relay_log(void *arg, enum log_level level, const struct log_ctx *ctx, const char *event,
		      const struct kv *kvs)
{
	struct worker *w = arg;
	LogField field[LOG_FIELDS], *fields[LOG_FIELDS];
	WorkerLog line = WORKER_LOG__INIT;
	ToMain msg = TO_MAIN__INIT;

	(void)ctx;
	for (; kvs->type != KV_END && line.n_field < LOG_FIELDS; kvs++, line.n_field++) {
		fill_field(&field[line.n_field], kvs);
		fields[line.n_field] = &field[line.n_field];
	}
	line.level = (uint32_t)level;
	line.event = text(event);
	line.field = fields;
	msg.msg_case = TO_MAIN__MSG_LOG;
	msg.log = &line;
	/* Never queued: a line is worth less than memory. */
	if (ipc_send(w->main_fd, &msg.base, NULL, 0))
		w->log_lost++;
}

void tell_log_init(struct worker *w)
{
	w->log = (struct log_ctx){ .ip = &w->remote.addr };
	w->sink = (struct log_sink){
		.relay = relay_log,
		.arg = w,
		.max = log_level_from_verbosity(w->image->verbosity),
		.process = "worker",
	};
	log_set_sink(&w->sink);
}

static WorkerInfo make_info(struct worker *w)
{
	WorkerInfo info = WORKER_INFO__INIT;

	info.user_agent = w->facts.user_agent;
	info.tls_cipher = text(w->facts.tls_cipher);
	info.vhost = text(w->vhost ? w->vhost->host->name : "");
	return info;
}

struct facts_msg {
	TunnelFacts facts;
	Endpoint udp;
};

static void fill_facts(struct worker *w, struct facts_msg *m)
{
	m->facts = (TunnelFacts)TUNNEL_FACTS__INIT;
	m->facts.dtls_cipher = text(w->facts.dtls_cipher);
	m->facts.cstp_compression = text(w->facts.cstp_encoding);
	m->facts.dtls_compression = text(w->facts.dtls_encoding);
	m->facts.mtu = w->facts.mtu;
	m->facts.dpd = w->facts.dpd;
	m->facts.keepalive = w->facts.keepalive;
	if (w->facts.udp_remote.addr.family) {
		m->udp = ipc_endpoint(&w->facts.udp_remote);
		m->facts.udp_remote = &m->udp;
	}
}

void tell_proxied(struct worker *w)
{
	Proxied proxied = PROXIED__INIT;
	Endpoint remote = ipc_endpoint(&w->remote), local = ipc_endpoint(&w->local);
	ToMain msg = TO_MAIN__INIT;

	proxied.remote = &remote;
	proxied.local = &local;
	msg.msg_case = TO_MAIN__MSG_PROXIED;
	msg.proxied = &proxied;
	send_main(w, &msg, -1);
}

void tell_info(struct worker *w)
{
	WorkerInfo info = make_info(w);
	ToMain msg = TO_MAIN__INIT;

	msg.msg_case = TO_MAIN__MSG_INFO;
	msg.info = &info;
	send_main(w, &msg, -1);
}

void tell_tunnel_up(struct worker *w)
{
	TunnelUp up = TUNNEL_UP__INIT;
	ToMain msg = TO_MAIN__INIT;

	msg.msg_case = TO_MAIN__MSG_TUNNEL_UP;
	msg.tunnel_up = &up;
	send_main(w, &msg, -1);
}

void tell_terminated(struct worker *w)
{
	Terminated terminated = TERMINATED__INIT;
	ToMain msg = TO_MAIN__INIT;

	msg.msg_case = TO_MAIN__MSG_TERMINATED;
	msg.terminated = &terminated;
	send_main(w, &msg, -1);
}

void tell_tun_mtu(struct worker *w, uint32_t mtu)
{
	TunMtu m = TUN_MTU__INIT;
	ToMain msg = TO_MAIN__INIT;

	m.mtu = mtu;
	msg.msg_case = TO_MAIN__MSG_TUN_MTU;
	msg.tun_mtu = &m;
	send_main(w, &msg, -1);
}

void tell_facts(struct worker *w)
{
	struct facts_msg m;
	ToMain msg = TO_MAIN__INIT;

	fill_facts(w, &m);
	msg.msg_case = TO_MAIN__MSG_FACTS;
	msg.facts = &m.facts;
	send_main(w, &msg, -1);
}

static Counters counters_msg(const struct path_counters *from)
{
	Counters c = COUNTERS__INIT;

	c.rx_bytes = from->rx_bytes;
	c.rx_packets = from->rx_packets;
	c.tx_bytes = from->tx_bytes;
	c.tx_packets = from->tx_packets;
	c.bad_source = from->bad_source;
	c.dropped = from->dropped;
	return c;
}

void tell_counters(struct worker *w, const struct path_counters *counters)
{
	Counters c = counters_msg(counters);
	ToMain msg = TO_MAIN__INIT;

	msg.msg_case = TO_MAIN__MSG_COUNTERS;
	msg.counters = &c;
	send_main(w, &msg, -1);
}

void tell_description(struct worker *w)
{
	Description d = DESCRIPTION__INIT;
	ToMain msg = TO_MAIN__INIT;
	WorkerInfo info = make_info(w);
	struct facts_msg facts;

	d.worker_id = w->id;
	d.pid = (uint32_t)getpid();
	d.info = &info;
	if (w->state == WORKER_TUNNEL) {
		fill_facts(w, &facts);
		d.tunnel = true;
		d.facts = &facts.facts;
		d.row = w->granted->row;
		d.n_row = w->granted->n_row;
		d.sid = w->granted->session->sid;
	}
	msg.msg_case = TO_MAIN__MSG_DESCRIPTION;
	msg.description = &d;
	send_main(w, &msg, w->tunnel ? tunnel_tun_fd(w->tunnel) : -1);
}

void tell_ended(struct worker *w, bool keep, const struct path_counters *counters)
{
	struct pollfd p = { .fd = w->main_fd, .events = POLLOUT };
	WorkerEnded ended = WORKER_ENDED__INIT;
	Counters c;
	ToMain msg = TO_MAIN__INIT;

	ended.reason = w->ending.reason;
	ended.abuse = w->abuse;
	ended.keep_session = keep;
	if (counters) {
		c = counters_msg(counters);
		ended.counters = &c;
	}
	msg.msg_case = TO_MAIN__MSG_ENDED;
	msg.ended = &ended;
	/* Past the queue, which ends with us; when main does not read, it learns from the closing
	 * channel. */
	while (ipc_send(w->main_fd, &msg.base, NULL, 0) == ERR_AGAIN)
		if (poll(&p, 1, LAST_WORD_MS) != 1)
			break;
}
