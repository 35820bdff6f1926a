/* stop.c - orderly stop: no new connections, sessions told to end, hooks waited for.
 *
 *	drain   server-drain-ms: listeners closed, sessions go on
 *	end     every worker is asked to end
 *	force   after STOP_MS: those that are left are killed
 *	give up after HOOKS_MS: hooks that still run are left alone
 */
#include "main/stop.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "main/control.h"
#include "main/hooks.h"
#include "main/listen.h"
#include "main/sessions.h"
#include "main/workers.h"

enum {
	STOP_MS = 5000,	     /* admin.md 3 */
	STOP_FAST_MS = 1000, /* nobody is left who would start us again */
	HOOKS_MS = 5000,
};

static void after(struct main_ctx *m, unsigned ms,
		  void (*fn)(struct ev_loop *loop, ev_timer *w, int revents))
{
	ev_timer_stop(m->loop, &m->stopping);
	ev_timer_init(&m->stopping, fn, (double)ms / 1000, 0);
	m->stopping.data = m;
	ev_timer_start(m->loop, &m->stopping);
}

void main_stop_check(struct main_ctx *m)
{
	if (m->phase != MAIN_STOPPING || m->draining || workers_count(m) || hooks_pending(m->hooks))
		return;
	log_info(NULL, "stopped");
	ev_break(m->loop, EVBREAK_ALL);
}

static void on_give_up(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct main_ctx *m = w->data;

	(void)loop;
	(void)revents;
	log_warn(NULL, "hooks-left", kv_u64("hooks", hooks_pending(m->hooks)),
		 kv_u64("workers", workers_count(m)));
	ev_break(m->loop, EVBREAK_ALL);
}

static void on_force(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct main_ctx *m = w->data;
	char text[96];

	(void)loop;
	(void)revents;
	after(m, HOOKS_MS, on_give_up);
	if (!workers_count(m))
		return;
	snprintf(text, sizeof text,
		 "not all sessions were terminated (%zu remain); forcing termination",
		 workers_count(m));
	log_notice(NULL, "stop", kv_text(text));
	for (struct worker *i = workers_first(m); i; i = i->next)
		worker_kill(i);
}

/* Workers are told first; a worker that has to be killed is, by on_force. */
static void end_all(struct main_ctx *m)
{
	m->draining = false;
	after(m, m->stop_fast ? STOP_FAST_MS : STOP_MS, on_force);
	for (struct worker *w = workers_first(m); w; w = w->next)
		worker_end(w, END_REASON__END_SERVER, true, 0);
	main_stop_check(m);
}

static void on_drained(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	end_all(w->data);
}

static void log_drain(uint32_t ms)
{
	char text[96];

	log_info(NULL, "stop", kv_text("termination request received; stopping new connections"));
	snprintf(text, sizeof text, "termination request received; waiting %u ms", ms);
	log_info(NULL, "stop", kv_text(text));
}

static void tell_super(struct main_ctx *m, uint32_t drain)
{
	MainStopping msg = MAIN_STOPPING__INIT;

	msg.patience_ms = (uint64_t)drain + STOP_MS + HOOKS_MS;
	if (m->super)
		main_tell_super(m, TO_SUPER__MSG_STOPPING, &msg, -1);
}

void main_stop(struct main_ctx *m, bool fast)
{
	uint32_t drain = m->conf && !fast ? m->conf->server_drain_ms : 0;

	m->stop_fast = fast;
	if (m->phase == MAIN_STOPPING) {
		if (fast && m->draining)
			end_all(m);
		return;
	}
	m->phase = MAIN_STOPPING;
	if (!m->workers) { /* stopped before Start came */
		ev_break(m->loop, EVBREAK_ALL);
		return;
	}
	tell_super(m, drain);
	listen_close(m);
	if (m->control)
		control_unlink(m->control);
	if (drain) {
		log_drain(drain);
		m->draining = true;
		after(m, drain, on_drained);
		return;
	}
	log_info(NULL, "stop",
		 kv_text("termination request received; waiting for sessions to terminate"));
	end_all(m);
}

void main_tear_down(struct main_ctx *m)
{
	ev_timer_stop(m->loop, &m->stopping);
	/* Workers point to sessions, sessions to leases, devices and hooks. */
	TALLOC_FREE(m->workers);
	TALLOC_FREE(m->sessions);
	TALLOC_FREE(m->control);
	TALLOC_FREE(m->hooks);
	TALLOC_FREE(m->linger);
	TALLOC_FREE(m->firewall);
	TALLOC_FREE(m->closer);
}
