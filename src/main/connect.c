/* connect.c - a session's tunnel from the request to "user logged in".
 *
 *	connect_open   limits; an older connection of the session is ended first (takeover)
 *	begin          settings, addresses (with ping-leases the answer is waited for)
 *	               consent of accounting, which is told the addresses
 *	make           device, firewall, connect-script
 *	finish         Tunnel to the worker, SessionOpened to auth
 *	connect_up     the client has its answer
 *
 * The way down is in disconnect.c. */
#include "main/connect.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "ipc/convert.h"
#include "main/addresses.h"
#include "main/iroute.h"
#include "main/listen.h"
#include "main/restrict.h"
#include "main/script.h"
#include "main/tun.h"
#include "main/tunnel.h"

enum {
	TAKEOVER_MS = 1000,  /* for the older connection to end */
	MTU_START = 1500,    /* until the worker tells the path's */
	STATUS_DENIED = 401, /* the client gives up */
	STATUS_RETRY = 503,  /* it shows the reason and tries again (protocol.md 5.4) */
};

/* ---- refusing ------------------------------------------------------------ */

static void tell_refused(struct session *s, uint64_t worker_id)
{
	SessionClosed closed = SESSION_CLOSED__INIT;

	closed.sid = s->sid;
	closed.worker_id = worker_id;
	closed.reason = END_REASON__END_REFUSED;
	closed.keep = true;
	closed.refused = true;
	main_tell_auth(s->m, TO_AUTH__MSG_SESSION_CLOSED, &closed, -1);
}

static void refuse_worker(struct session *s, struct worker *w, uint32_t status, const char *reason)
{
	tell_refused(s, w->id);
	w->session = NULL;
	if (w->state == WORKER_OPENING)
		w->state = WORKER_LOGIN;
	worker_refuse(w, status, reason);
}

/* The tunnel that was being opened is not to be; the addresses wait for the next attempt. */
static void refuse(struct session *s, uint32_t status, const char *reason)
{
	struct worker *w = s->worker;

	s->worker = NULL;
	s->accounting = false;
	TALLOC_FREE(s->addressing);
	TALLOC_FREE(s->request);
	restrict_end(s);
	connect_drop_device(s);
	session_set_state(s, SESSION_IDLE);
	refuse_worker(s, w, status, reason);
	connect_idle(s);
}

/* ---- settings ------------------------------------------------------------ */

static enum err copy_rows(TALLOC_CTX *ctx, ConfRow *const *row, size_t n, struct conf_rows *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_row one = { NULL, row[i]->name, row[i]->value, row[i]->file,
					      row[i]->line };
		enum err err = conf_rows_add(ctx, out, &one);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err connect_set_conf(struct session *s, ConfRow *const *row, size_t n)
{
	TALLOC_CTX *tmp = talloc_new(s);
	struct conf_report *report = conf_report_new(tmp);
	struct conf_rows rows = { 0 };
	struct session_conf *conf = NULL;
	enum err err = copy_rows(tmp, row, n, &rows);

	if (!err)
		err = conf_session_new(s, conf_host(s->m->conf, s->vhost), &rows, report, &conf);
	for (size_t i = 0; err && report && i < report->n; i++) {
		char *text = conf_problem_text(tmp, &report->item[i]);
		log_err(&s->log, "bad-session-settings", kv_text(text ? text : ""));
	}
	if (!err) {
		/* They borrow from the host's, which a reload must not take away. */
		talloc_reference(conf, s->m->conf);
		talloc_free(s->conf);
		s->conf = conf;
		s->began = s->m->conf;
	}
	talloc_free(tmp);
	return err;
}

/* True when one more tunnel of this user is allowed; takeovers never come here with one counted. */
static bool may_connect(const struct session *s)
{
	uint32_t limit = s->conf->max_same_clients;
	char text[80];

	/* This one is not counted: it is in SESSION_OPENING only after this. */
	if (!limit || session_tunnels_of(s->m, s->user) < limit)
		return true;
	snprintf(text, sizeof text, "user tried to connect more than %u times", limit);
	log_info(&s->log, "too-many", kv_text(text));
	return false;
}

/* ---- addresses and device ------------------------------------------------ */

/* What this tunnel uses of the session's addresses: a client may ask for less than it had. */
static struct tun_addrs device_addrs(const struct session *s, const SessionOpen *msg)
{
	struct tun_addrs a = { .v6_prefix = 128 };

	if (s->v4 && msg->want_v4) {
		a.v4_peer = *lease_addr(s->v4);
		a.v4_local = lease_pool_server(&s->pool4);
	}
	if (s->v6 && msg->want_v6) {
		a.v6_peer = *lease_addr(s->v6);
		a.v6_local = lease_pool_server(&s->pool6);
		a.v6_prefix = lease_prefix(s->v6);
	}
	return a;
}

static bool same_addrs(const struct tun_addrs *a, const struct tun_addrs *b)
{
	return addr_equal(&a->v4_peer, &b->v4_peer) && addr_equal(&a->v6_peer, &b->v6_peer) &&
	       addr_equal(&a->v4_local, &b->v4_local) && addr_equal(&a->v6_local, &b->v6_local) &&
	       (!a->v6_peer.family || a->v6_prefix == b->v6_prefix);
}

static unsigned offloads_wanted(const struct conf *conf)
{
	unsigned off = conf->debug_datapath;

	if (off & CONF_DATAPATH_TUN_OFFLOAD)
		return 0;
	return TUN_OFFLOAD_VNET | (off & CONF_DATAPATH_USO ? 0 : TUN_OFFLOAD_USO);
}

static enum err make_device(struct session *s, const SessionOpen *msg)
{
	struct tun_addrs addrs = device_addrs(s, msg);
	unsigned mtu = s->conf->mtu ? s->conf->mtu : MTU_START;
	enum err err;

	if (!addrs.v4_peer.family && !addrs.v6_peer.family)
		return ERR_NOT_FOUND;
	/* A takeover keeps the device, its routes and whoever listens on it. */
	if (s->tun && same_addrs(tun_addrs(s->tun), &addrs))
		return ERR_OK;
	connect_drop_device(s);
	err = tun_new(s, s->m->nl, s->m->conf->device, mtu, &addrs, offloads_wanted(s->m->conf),
		      &s->tun);
	if (!err) {
		talloc_free((void *)(uintptr_t)s->device);
		s->device = talloc_strdup(s, tun_name(s->tun));
	}
	if (!err)
		log_debug(&s->log, "device",
			  kv_text(talloc_asprintf(s->tun, "assigning tun device %s",
						  tun_name(s->tun))));
	return err;
}

/* ---- opening ------------------------------------------------------------- */

static void fill_addrs(const struct session *s, Tunnel *t, Net *v4, Net *v6)
{
	const struct tun_addrs *a = tun_addrs(s->tun);

	if (a->v4_peer.family) {
		v4->addr = ipc_addr(&a->v4_peer);
		v4->prefix = s->conf->ipv4_netmask;
		t->v4 = v4;
		t->v4_local = ipc_addr(&a->v4_local);
	}
	if (a->v6_peer.family) {
		v6->addr = ipc_addr(&a->v6_peer);
		v6->prefix = lease_prefix(s->v6);
		t->v6 = v6;
		t->v6_local = ipc_addr(&a->v6_local);
	}
}

static void send_tunnel(struct session *s)
{
	const SessionOpen *msg = s->request->msg;
	bool udp = listen_has_udp(s->m) && !s->conf->no_udp;
	int64_t left = s->deadline - clock_unix();
	Tunnel t = TUNNEL__INIT;
	Net v4 = NET__INIT, v6 = NET__INIT;
	Session session;
	Endpoint remote;

	session_fill(s, &session, &remote);
	t.session = &session;
	t.n_row = msg->n_row;
	t.row = msg->row;
	fill_addrs(s, &t, &v4, &v6);
	t.app_id = (ProtobufCBinaryData){ SESSION_APP_ID, s->app_id };
	t.device = (char *)(uintptr_t)s->device;
	t.session_left = !s->deadline ? 0 : left > 0 ? left : 1;
	t.udp = udp;
	t.udp_port = udp ? s->m->conf->udp_port : 0;
	t.tun_headers = tun_offloads(s->tun) & TUN_OFFLOAD_VNET;
	t.tun_uso = tun_offloads(s->tun) & TUN_OFFLOAD_USO;
	worker_tell(s->worker, TO_WORKER__MSG_TUNNEL, &t, tun_fd(s->tun));
}

void connect_tell_opened(struct session *s)
{
	SessionOpened opened = SESSION_OPENED__INIT;
	struct tun_addrs a = { .v6_prefix = 0 };

	/* After a restart of main the device comes with the worker's answer, which may be later. */
	if (s->tun)
		a = *tun_addrs(s->tun);
	else if (s->v4)
		a.v4_peer = *lease_addr(s->v4);
	if (!s->tun && s->v6)
		a.v6_peer = *lease_addr(s->v6);
	opened.sid = s->sid;
	opened.worker_id = s->worker->id;
	opened.v4 = ipc_addr(&a.v4_peer);
	opened.v6 = ipc_addr(&a.v6_peer);
	main_tell_auth(s->m, TO_AUTH__MSG_SESSION_OPENED, &opened, -1);
}

/* Connect-script succeeded, or there is none. */
static void finish(struct session *s)
{
	uint8_t app_id[SESSION_APP_ID];

	secret_random(app_id, sizeof app_id);
	session_set_app_id(s, app_id);
	session_set_peer(s, &s->remote.addr);
	s->connected_at = clock_unix();
	s->worker->state = WORKER_OPEN;
	session_set_state(s, SESSION_OPEN);
	session_save(s);
	send_tunnel(s);
	connect_tell_opened(s);
	TALLOC_FREE(s->request);
	log_info(&s->log, "opened", kv_text("new user session"));
}

static void on_connect_script(struct session *s, bool ok)
{
	s->hook_ran = ok;
	if (!s->worker) {
		connect_down_finish(s); /* its connection ended meanwhile */
	} else if (!ok) {
		log_info(&s->log, "script-refused", kv_text("user disconnected due to script"));
		refuse(s, STATUS_DENIED, "Refused by the connect script");
	} else {
		finish(s);
	}
}

/* The connect step is the script and then the routes to what is behind the client. */
static void on_connect_script_only(struct session *s, bool ok)
{
	if (ok)
		iroutes_add(s, on_connect_script);
	else
		on_connect_script(s, ok);
}

static void take_request(struct session *s)
{
	struct worker *w = s->pending->w;

	s->request = s->pending;
	s->pending = NULL;
	s->worker = w;
	s->id = w->pid;
	s->remote = w->remote;
	s->local = w->local;
	s->deadline = s->request->msg->deadline;
	s->up = s->hook_ran = s->keep = false;
}

static void on_restricted(struct session *s, bool ok)
{
	if (ok)
		script_run(s, SCRIPT_CONNECT, on_connect_script_only);
	else
		refuse(s, STATUS_DENIED, "Server configuration error");
}

/* Everybody agrees to the tunnel. */
static void make(struct session *s)
{
	if (make_device(s, s->request->msg))
		refuse(s, STATUS_RETRY, "Server configuration error");
	else
		restrict_begin(s, on_restricted);
}

void connect_ask_account(struct session *s)
{
	AccountSession ask = ACCOUNT_SESSION__INIT;
	struct tun_addrs a = device_addrs(s, s->request->msg);

	s->accounting = true;
	ask.sid = s->sid;
	ask.worker_id = s->worker->id;
	ask.v4 = ipc_addr(&a.v4_peer);
	ask.v6 = ipc_addr(&a.v6_peer);
	/* An auth that is away will be asked when it is back (connect_tell_auth). */
	main_tell_auth(s->m, TO_AUTH__MSG_ACCOUNT_SESSION, &ask, -1);
}

void connect_accounted(struct session *s, const AccountResult *msg)
{
	if (!s->accounting || !s->worker || s->worker->id != msg->worker_id)
		return; /* the client has gone, or is here with another connection */
	s->accounting = false;
	if (msg->ok)
		make(s);
	else
		refuse(s, STATUS_DENIED, "Cookie is not acceptable");
}

static void on_addresses(struct session *s, bool ok)
{
	if (!ok) {
		refuse(s, STATUS_RETRY, "No address is available");
		return;
	}
	session_save(s);
	if (s->request->msg->account)
		connect_ask_account(s);
	else
		make(s);
}

void connect_begin(struct session *s)
{
	const SessionOpen *msg = s->pending->msg;
	uint32_t status = 0;
	const char *reason = "Server error";

	take_request(s);
	if (session_update(s, msg->session) || connect_set_conf(s, msg->row, msg->n_row))
		status = STATUS_DENIED;
	else if (!may_connect(s))
		status = STATUS_DENIED, reason = "Too many connections of this user";
	if (status) {
		refuse(s, status, reason);
		return;
	}
	session_set_state(s, SESSION_OPENING);
	addresses_take(s, msg, on_addresses);
}

void connect_drop_pending(struct session *s)
{
	if (!s->pending)
		return;
	s->pending->w->session = NULL;
	TALLOC_FREE(s->pending);
}

void connect_refuse_pending(struct session *s)
{
	struct worker *w = s->pending->w;

	connect_drop_pending(s);
	refuse_worker(s, w, STATUS_RETRY, "Server error");
}

static enum err remember(struct session *s, struct worker *w, const SessionOpen *msg)
{
	struct open_request *req = talloc_zero(s, struct open_request);
	ProtobufCMessage *copy;
	size_t len = session_open__get_packed_size(msg);
	uint8_t *bytes = req ? talloc_size(req, len) : NULL;
	enum err err;

	if (!bytes) {
		talloc_free(req);
		return ERR_NOMEM;
	}
	session_open__pack(msg, bytes);
	err = ipc_unpack(req, &session_open__descriptor, bytes, len, &copy);
	if (err) {
		talloc_free(req);
		return err;
	}
	req->w = w;
	req->msg = (const SessionOpen *)(const void *)copy;
	s->pending = req;
	w->session = s;
	return ERR_OK;
}

/* An older connection of the session must go first. */
static void take_over(struct session *s)
{
	if (!s->worker)
		return; /* it has gone, its disconnect script runs */
	log_info(&s->log, "takeover",
		 kv_text("disconnecting previous user session due to session reuse"));
	worker_end(s->worker, END_REASON__END_TAKEOVER, true, TAKEOVER_MS);
}

void connect_open(struct worker *w, const SessionOpen *msg)
{
	struct session *s = NULL;
	enum err err = ERR_STATE;

	/* Also while starting: workers ask a main that took over for what the old one did not do.
	 */
	if (w->m->phase != MAIN_STOPPING)
		err = session_get(w->m, msg->session, &s);
	if (err) {
		log_err(NULL, "session-refused", kv_err(err));
		worker_refuse(w, STATUS_RETRY, "Server error");
		return;
	}
	if (s->pending)
		connect_refuse_pending(s);
	w->state = WORKER_OPENING;
	if (remember(s, w, msg))
		refuse_worker(s, w, STATUS_RETRY, "Server error");
	else if (s->state == SESSION_IDLE)
		connect_begin(s);
	else
		take_over(s);
}
