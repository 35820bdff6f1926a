/* main.c - the main process: start, the phases it goes through, orderly stop.
 *
 *	STARTING  waits for the supervisor's Start, then for auth and the zygote to be ready
 *	SERVING   accepts connections while both are there
 *	STOPPING  no listeners; ends when the last worker and the last hook have ended
 */
#include "main/main.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/trim.h"
#include "config.h"
#include "main/ban.h"
#include "main/control.h"
#include "main/crlwatch.h"
#include "main/hooks.h"
#include "main/listen.h"
#include "main/reload.h"
#include "main/restore.h"
#include "main/sessions.h"
#include "main/stop.h"
#include "main/workers.h"
#include "main/zygote.h"

enum { UPKEEP_SECONDS = 900 }; /* config.md 5 */

bool main_tell_super(struct main_ctx *m, ToSuper__MsgCase kind, void *field, int fd)
{
	ToSuper top = TO_SUPER__INIT;
	enum err err;

	top.msg_case = kind;
	top.keep_fd = field; /* every member of the oneof is such a pointer */
	err = m->super ? chan_send(m->super, &top.base, &fd, fd >= 0) : ERR_CLOSED;
	if (err)
		log_err(NULL, "supervisor-unreachable", kv_err(err));
	return !err;
}

bool main_tell_auth(struct main_ctx *m, ToAuth__MsgCase kind, void *field, int fd)
{
	ToAuth top = TO_AUTH__INIT;
	enum err err;

	if (!m->auth)
		return false;
	top.msg_case = kind;
	top.conf = field;
	err = chan_send(m->auth, &top.base, &fd, fd >= 0);
	if (err && err != ERR_CLOSED)
		log_err(NULL, "auth-unreachable", kv_err(err));
	return !err;
}

void main_keep_fd(struct main_ctx *m, FdKind kind, uint64_t id, int fd,
		  const ProtobufCBinaryData *note)
{
	KeepFd keep = KEEP_FD__INIT;

	keep.kind = kind;
	keep.id = id;
	if (note)
		keep.note = *note;
	main_tell_super(m, TO_SUPER__MSG_KEEP_FD, &keep, fd);
}

void main_drop_fd(struct main_ctx *m, FdKind kind, uint64_t id)
{
	DropFd drop = DROP_FD__INIT;

	drop.kind = kind;
	drop.id = id;
	main_tell_super(m, TO_SUPER__MSG_DROP_FD, &drop, -1);
}

void main_fail(struct main_ctx *m, const char *reason)
{
	MainFailed failed = MAIN_FAILED__INIT;

	failed.reason = (char *)(uintptr_t)reason;
	main_tell_super(m, TO_SUPER__MSG_FAILED, &failed, -1);
	log_err(NULL, "start-failed", kv_text(reason));
	m->exit_status = 1;
	ev_break(m->loop, EVBREAK_ALL);
}

static void log_ready(struct main_ctx *m)
{
	if (m->restarted)
		log_notice(NULL, "taken-over", kv_u64("workers", workers_count(m)),
			   kv_u64("sessions", sessions_open_count(m)));
	else
		log_info(NULL, "ready",
			 kv_text("initialized OpenConnect VPN Server " PACKAGE_VERSION));
}

void main_update_accepting(struct main_ctx *m)
{
	bool can = m->auth && m->auth_ready && m->zygote && m->zygote_ready;
	MainReady ready = MAIN_READY__INIT;

	if (m->phase == MAIN_STARTING && can) {
		m->phase = MAIN_SERVING;
		main_tell_super(m, TO_SUPER__MSG_READY, &ready, -1);
		log_ready(m);
		trim_after_start();
		reload_if_asked(m);
	}
	listen_accept(m, m->phase == MAIN_SERVING && can);
}

void main_maintain(struct main_ctx *m)
{
	if (m->phase != MAIN_SERVING)
		return;
	ban_sweep(m->bans, clock_unix());
	crl_watch_now(m->crls);
	workers_check_time(m);
}

static void on_upkeep(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	main_maintain(w->data);
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct main_ctx *m = w->data;

	(void)loop;
	(void)revents;
	if (w->signum == SIGUSR1) {
		return; /* as in the supervisor */
	} else if (w->signum == SIGHUP) {
		main_reload(m);
	} else if (w->signum == SIGUSR2) {
		log_info(NULL, "maintenance", kv_text("forcing maintenance cycle"));
		main_maintain(m);
	} else {
		/* The supervisor's end comes as SIGTERM, too (PDEATHSIG). */
		main_stop(m, (uint32_t)getppid() != m->super_pid && m->super_pid);
	}
}

static void watch_signals(struct main_ctx *m)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGUSR1 };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		ev_signal_init(&m->on_signal[i], on_signal, signals[i]);
		m->on_signal[i].data = m;
		ev_signal_start(m->loop, &m->on_signal[i]);
	}
	ev_timer_init(&m->upkeep, on_upkeep, UPKEEP_SECONDS, UPKEEP_SECONDS);
	m->upkeep.data = m;
	ev_timer_start(m->loop, &m->upkeep);
}

static int main_free(struct main_ctx *m)
{
	for (size_t i = 0; i < sizeof m->on_signal / sizeof m->on_signal[0]; i++)
		ev_signal_stop(m->loop, &m->on_signal[i]);
	ev_timer_stop(m->loop, &m->upkeep);
	zygote_deinit(m);
	if (m->zygote_conf >= 0)
		close(m->zygote_conf);
	if (m->zygote_area >= 0)
		close(m->zygote_area);
	return 0;
}

static struct main_ctx *main_new(const struct main_args *args)
{
	struct main_ctx *m = talloc_zero(NULL, struct main_ctx);

	if (!m)
		return NULL;
	m->args = args;
	m->zygote_conf = m->zygote_area = -1;
	m->up_since = clock_unix();
	/* Not the default loop: that reaps every child by itself, and hooks wait for theirs. */
	m->loop = ev_loop_new(EVFLAG_AUTO);
	stats_init(&m->stats, m->up_since);
	if (!m->loop || restore_new(m, &m->restore) || reload_new(m, &m->reload) ||
	    crl_watch_new(m, &m->crls) || main_open_super(m)) {
		talloc_free(m);
		return NULL;
	}
	zygote_init(m);
	watch_signals(m);
	talloc_set_destructor(m, main_free);
	return m;
}

static void name_process(const struct main_args *args)
{
	prctl(PR_SET_NAME, "sallyport-main");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Its memory has the keys' PINs while it reads the configuration. */
	if (!args->traceable)
		prctl(PR_SET_DUMPABLE, 0);
}

int main_run(const struct main_args *args)
{
	struct log_sink sink;
	struct main_ctx *m;
	struct ev_loop *loop;
	int status;

	name_process(args);
	log_sink_system(&sink, "main", args->log_targets, args->facility < 0 ? 0 : args->facility,
			args->verbosity < 0 ? 2 : (unsigned)args->verbosity);
	log_set_sink(&sink);
	m = main_new(args);
	if (!m)
		return 1;
	m->sink = &sink;
	loop = m->loop;
	ev_run(loop, 0);
	status = m->exit_status;
	main_tear_down(m);
	talloc_free(m);
	ev_loop_destroy(loop);
	log_set_sink(NULL);
	return status;
}
