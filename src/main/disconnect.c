/* disconnect.c - a session's tunnel from "user logged in" to its end. */
#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "main/admin.h"
#include "main/closer.h"
#include "main/connect.h"
#include "main/iroute.h"
#include "main/restrict.h"
#include "main/script.h"
#include "main/stats_journal.h"
#include "main/traffic.h"
#include "main/tun.h"
#include "main/tunnel.h"
#include "main/utmp.h"

/* A record that was begun is ended, whatever a reload has made of use-utmp. */
static void note_utmp(struct session *s, bool login)
{
	struct utmp_entry entry = { NULL, s->user, s->id, s->remote.addr };

	if (!s->tun || !(login ? s->m->conf->use_utmp : s->in_utmp))
		return;
	entry.device = tun_name(s->tun);
	if (login)
		utmp_login(&entry);
	else
		utmp_logout(&entry);
	s->in_utmp = login;
}

static void log_connected(const struct session *s)
{
	struct kv kv[] = {
		kv_text("user logged in"), kv_str("group", s->group), kv_str("device", s->device),
		kv_u64("id", s->id),	   { .type = KV_END },	      { .type = KV_END },
		{ .type = KV_END },
	};

	(void)session_addresses(s, &kv[4]);
	log_event(LOG_LVL_INFO, &s->log, "connected", kv);
}

void connect_up(struct session *s)
{
	if (s->up)
		return;
	s->up = true;
	s->connected_at = clock_unix();
	log_connected(s);
	note_utmp(s, true);
	admin_event_connect(s->worker);
	if (*s->hostname && !s->host_update_done) {
		s->host_update_done = true;
		script_run(s, SCRIPT_HOST_UPDATE, NULL);
	}
	session_save(s);
}

/* ---- the end of a tunnel ------------------------------------------------- */

/* config.md 16.1; what only the worker can know it has said. */
static bool ticket_survives(const struct session *s, const struct worker *w)
{
	if (s->m->phase == MAIN_STOPPING)
		return false; /* no ticket outlives the server, so accounting ends now */
	switch (w->reason) {
	case END_REASON__END_USER:
	case END_REASON__END_ADMIN:
		return s->conf && s->conf->host->persistent_cookies;
	case END_REASON__END_SESSION_TIMEOUT:
		return false;
	default:
		return w->keep;
	}
}

static void take_counters(struct session *s, const struct worker *w)
{
	if (w && w->has_last_counters) {
		s->end.counters = w->counters;
		if (!s->tun)
			traffic_believe(s, &w->counters);
	} else { /* it was killed: ask the device */
		traffic_of_device(s, &s->end.counters);
	}
}

static void log_end(const struct session *s)
{
	const Counters *c = &s->end.counters;
	int64_t lasted = clock_unix() - s->connected_at;
	char text[128];

	snprintf(text, sizeof text, "user disconnected (reason: %s, rx: %llu, tx: %llu)",
		 end_reason_text(s->end.reason), (unsigned long long)c->rx_bytes,
		 (unsigned long long)c->tx_bytes);
	log_info(&s->log, "disconnected", kv_text(text), kv_str("device", s->device),
		 kv_u64("id", s->id), kv_i64("seconds", s->connected_at ? lasted : 0),
		 kv_str("reason", end_reason_text(s->end.reason)), kv_u64("rx", c->rx_bytes),
		 kv_u64("tx", c->tx_bytes), kv_u64("rx-packets", c->rx_packets),
		 kv_u64("tx-packets", c->tx_packets), kv_u64("bad-source", c->bad_source),
		 kv_u64("dropped", c->dropped));
}

/* A tunnel that another takes the place of is not the end of a session (protocol.md 4.12). */
static void count_end(struct session *s)
{
	struct main_ctx *m = s->m;
	int64_t now = clock_unix(), lasted = now - s->connected_at;
	const struct stats_end end = { s->end.reason, lasted > 0 ? (uint64_t)lasted : 0,
				       s->end.counters.rx_bytes, s->end.counters.tx_bytes };

	if (s->end.reason == END_REASON__END_TAKEOVER)
		return;
	if (stats_session_end(&m->stats, &end, now, m->conf->server_stats_reset_time)) {
		stats_log(&m->stats);
		stats_reset(&m->stats, now);
	}
	stats_save(m);
}

static void tell_closed(struct session *s, bool refused)
{
	SessionClosed closed = SESSION_CLOSED__INIT;
	Counters total;

	traffic_total(s, &total);
	closed.total = &total;
	closed.sid = s->sid;
	closed.worker_id = s->end.worker_id;
	closed.reason = s->end.reason;
	closed.keep = s->keep;
	closed.counters = &s->end.counters;
	closed.refused = refused;
	/* Auth answers the end of a session with SessionExpired; one that was killed before it had
	 * read this is told again (connect_tell_auth). */
	main_tell_auth(s->m, TO_AUTH__MSG_SESSION_CLOSED, &closed, -1);
}

void connect_drop_device(struct session *s)
{
	int fd = s->tun ? fcntl(tun_fd(s->tun), F_DUPFD_CLOEXEC, 0) : -1;

	traffic_keep(s);
	TALLOC_FREE(s->tun);
	if (fd >= 0) /* this, and not the line before, is the last close */
		closer_close(s->m->closer, fd);
}

void connect_idle(struct session *s)
{
	bool stopping = s->m->phase == MAIN_STOPPING;

	if (s->pending && (stopping || s->closing))
		connect_refuse_pending(s);
	if (s->pending) {
		connect_begin(s);
		return;
	}
	connect_drop_device(s);
	TALLOC_FREE(s->conf);
	s->began = NULL;
	if (stopping || s->closing)
		session_forget(s);
	else
		session_save(s);
}

static void on_disconnect_script(struct session *s, bool ok)
{
	struct main_ctx *m = s->m;

	(void)ok;
	session_set_state(s, SESSION_IDLE);
	connect_idle(s);
	main_stop_check(m);
}

void connect_down_finish(struct session *s)
{
	restrict_end(s);
	if (!s->hook_ran) {
		on_disconnect_script(s, true);
		return;
	}
	iroutes_del(s);
	script_run(s, SCRIPT_DISCONNECT, on_disconnect_script);
}

/* The tunnel was there: everybody is told. */
static void end_tunnel(struct session *s)
{
	static const struct addr nowhere;

	session_set_app_id(s, NULL);
	session_set_peer(s, &nowhere);
	log_end(s);
	count_end(s);
	if (s->up)
		note_utmp(s, false);
	tell_closed(s, !s->up);
}

void connect_down(struct session *s, struct worker *w)
{
	bool opening = s->state == SESSION_OPENING;

	if (s->worker != w) { /* a newer one that still waited */
		connect_drop_pending(s);
		return;
	}
	s->end.reason = w->reason;
	s->end.worker_id = w->id;
	s->keep = opening || ticket_survives(s, w);
	take_counters(s, w);
	if (s->up)
		admin_event_disconnect(w);
	if (opening)
		tell_closed(s, true);
	else
		end_tunnel(s);
	traffic_worker_ends(s);
	s->worker = NULL;
	w->session = NULL;
	s->accounting = false;
	TALLOC_FREE(s->addressing);
	TALLOC_FREE(s->request);
	session_set_state(s, SESSION_ENDING);
	session_save(s);
	if (!opening || !script_is_running(s)) /* else on_connect_script goes on here */
		connect_down_finish(s);
}

void connect_lost(struct session *s)
{
	s->end.reason = END_REASON__END_ERROR;
	s->keep = true;
	take_counters(s, NULL);
	if (connect_set_conf(s, NULL, 0))
		s->hook_ran = false; /* without settings there is nothing to tell a script */
	session_set_state(s, SESSION_ENDING);
	end_tunnel(s);
	connect_down_finish(s);
}

static bool is_overdue(const struct session *s)
{
	return s->deadline && clock_unix() >= s->deadline;
}

void connect_expired(struct session *s)
{
	if (s->state == SESSION_IDLE) {
		session_forget(s);
		return;
	}
	s->closing = true;
	/* The worker should have ended the tunnel by now; perhaps it is not ours any more. */
	if (s->state == SESSION_OPEN && s->worker && is_overdue(s))
		worker_end(s->worker, END_REASON__END_SESSION_TIMEOUT, false, WORKER_PATIENCE_MS);
}

void connect_tell_auth(struct session *s)
{
	if (s->state == SESSION_OPEN)
		connect_tell_opened(s);
	else if (s->accounting)
		connect_ask_account(s);
	else if (s->state != SESSION_OPENING) /* that without a tunnel is one that never had it */
		tell_closed(s, !s->end.worker_id);
}
