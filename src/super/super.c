/* super.c - the supervisor.
 *
 *	STARTING  main has not said it is ready: its failure is the service's failure
 *	SERVING   whoever ends is started again and gets back what was kept for it
 *	STOPPING  main has ended with status 0, or could not start: everyone else is ended
 *
 * It parses nothing but its children's fixed messages. */
#include "super/super.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ev.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/trim.h"
#include "ipc/auth.pb-c.h"
#include "ipc/chan.h"
#include "ipc/main.pb-c.h"
#include "ipc/route.h"
#include "ipc/super.pb-c.h"
#include "ipc/zygote.pb-c.h"
#include "super/child.h"
#include "super/fdstore.h"
#include "super/holder.h"
#include "super/inherited.h"
#include "super/manager.h"
#include "super/tell.h"

enum super_state { STARTING = 1, SERVING = 2, STOPPING = 4, ANY_STATE = 7 };
enum sender { FROM_MAIN = 1, FROM_AUTH = 2, FROM_ZYGOTE = 4 };

/* A child that ends sooner than this after its start waits as long before the next one. */
static const double restart_pause = 0.5;
/* Starts of a helper before the start of the service has failed. */
enum { START_TRIES = 5 };
/* How long children may take to end before they are killed: auth sends the last accounting records
 * for up to 15 seconds as long as somebody takes them. */
static const double stop_patience = 17.0;

struct super {
	const struct super_args *args;
	struct ev_loop *loop;
	struct fdstore *kept;
	struct child main, auth, zygote;
	struct manager *manager;
	pid_t holder;
	int holder_fd; /* pidfd, -1: no namespaces */
	bool isolate;  /* new workers get them */
	enum super_state state;
	int status;	   /* our exit status */
	bool stop_asked;   /* main was told to stop */
	bool main_stopped; /* it ended in order */
	bool reload_asked; /* by SIGHUP; no main has begun with it */
	int64_t up_since;
	ev_signal on_signal[5];
	ev_child reaper;
	ev_timer retry, kill;
};

static void start_missing(struct super *s);

/* ---- messages from the children ------------------------------------------ */

static void ask_reload(struct super *s)
{
	Reload reload = RELOAD__INIT;
	ToMain m = TO_MAIN__INIT;

	/* Until main says that it begins: one that was killed may not be collected yet. */
	s->reload_asked = true;
	m.msg_case = TO_MAIN__MSG_RELOAD;
	m.reload = &reload;
	tell_child(&s->main, &m.base, -1);
}

static enum err on_keep_fd(struct super *s, struct child *from, const KeepFd *msg,
			   struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	if (fd < 0)
		return ERR_PROTO;
	if (tell_is_auths(msg->kind) && from->role == ROLE__ROLE_AUTH &&
	    msg->kind != FD_KIND__FD_JOURNAL_AUTH) {
		close(fd);
		return ERR_DENIED;
	}
	return fdstore_keep(s->kept, msg->kind, msg->id, fd, msg->note.data, msg->note.len);
}

static enum err on_drop_fd(struct super *s, struct child *from, const DropFd *msg,
			   struct ipc_fds *fds)
{
	(void)from;
	(void)fds;
	fdstore_drop(s->kept, msg->kind, msg->id);
	return ERR_OK;
}

static enum err on_ready(struct super *s, struct child *from, const MainReady *msg,
			 struct ipc_fds *fds)
{
	(void)from;
	(void)msg;
	(void)fds;
	if (s->state == STARTING)
		s->state = SERVING;
	manager_ready(s->manager);
	if (s->reload_asked) /* of the main before this one */
		ask_reload(s);
	trim_after_start();
	return ERR_OK;
}

static enum err on_failed(struct super *s, struct child *from, const MainFailed *msg,
			  struct ipc_fds *fds)
{
	(void)s;
	(void)from;
	(void)fds;
	fprintf(stderr, "error: %s\n", msg->reason);
	return ERR_OK;
}

static enum err on_reload(struct super *s, struct child *from, const MainReload *msg,
			  struct ipc_fds *fds)
{
	(void)from;
	(void)fds;
	if (msg->begins)
		s->reload_asked = false;
	manager_reload(s->manager, msg->begins);
	return ERR_OK;
}

static enum err on_stopping(struct super *s, struct child *from, const MainStopping *msg,
			    struct ipc_fds *fds)
{
	(void)from;
	(void)fds;
	manager_stopping(s->manager, msg->patience_ms + (uint64_t)(stop_patience * 1000));
	return ERR_OK;
}

static enum err on_pong(struct super *s, struct child *from, const Pong *msg, struct ipc_fds *fds)
{
	(void)fds;
	manager_answered(s->manager, from->role, msg);
	return ERR_OK;
}

static enum err on_respawn(struct super *s, struct child *from, const Respawn *msg,
			   struct ipc_fds *fds)
{
	(void)from;
	(void)fds;
	if (msg->role != ROLE__ROLE_ZYGOTE)
		return ERR_DENIED;
	/* Its workers become our children and go on; start_missing makes the new one at once. */
	if (s->zygote.pid)
		kill(s->zygote.pid, SIGKILL);
	child_ended(&s->zygote);
	s->zygote.started = 0;
	s->isolate = msg->isolate; /* a reload may have changed it */
	start_missing(s);
	return ERR_OK;
}

#define SUPER_ROUTES(R)                                                                            \
	R(ToSuper, keep_fd, TO_SUPER__MSG_KEEP_FD, FROM_MAIN | FROM_AUTH, ANY_STATE, 1,            \
	  on_keep_fd)                                                                              \
	R(ToSuper, drop_fd, TO_SUPER__MSG_DROP_FD, FROM_MAIN, ANY_STATE, 0, on_drop_fd)            \
	R(ToSuper, ready, TO_SUPER__MSG_READY, FROM_MAIN, ANY_STATE, 0, on_ready)                  \
	R(ToSuper, failed, TO_SUPER__MSG_FAILED, FROM_MAIN, STARTING, 0, on_failed)                \
	R(ToSuper, respawn, TO_SUPER__MSG_RESPAWN, FROM_MAIN, STARTING | SERVING, 0, on_respawn)   \
	R(ToSuper, reload, TO_SUPER__MSG_RELOAD, FROM_MAIN, ANY_STATE, 0, on_reload)               \
	R(ToSuper, stopping, TO_SUPER__MSG_STOPPING, FROM_MAIN, ANY_STATE, 0, on_stopping)         \
	R(ToSuper, pong, TO_SUPER__MSG_PONG, FROM_MAIN | FROM_AUTH | FROM_ZYGOTE, ANY_STATE, 0,    \
	  on_pong)

ROUTES_DEFINE(super_routes, SUPER_ROUTES)

static struct child *child_of(struct super *s, const struct chan *chan)
{
	return chan == s->main.chan ? &s->main : chan == s->auth.chan ? &s->auth : &s->zygote;
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct super *s = arg;
	struct child *c = child_of(s, chan);
	enum sender sender = c == &s->main ? FROM_MAIN : c == &s->auth ? FROM_AUTH : FROM_ZYGOTE;
	enum err err = route_dispatch(&super_routes, s, c, sender, s->state, msg, fds);

	if (!err)
		return;
	log_err(NULL, "bad-message", kv_u64("role", c->role),
		kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))), kv_err(err));
	if (err == ERR_DENIED || err == ERR_PROTO)
		kill(c->pid, SIGKILL); /* a child gone wrong is replaced, not obeyed */
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct super *s = arg;
	struct child *c = child_of(s, chan);

	(void)why;
	talloc_free(chan);
	c->chan = NULL; /* it is ending; reaping it starts the next one */
}

static const struct chan_ops child_ops = { on_message, on_closed };

/* ---- starting ------------------------------------------------------------ */

static bool start_child(struct super *s, struct child *c, int program, char *const argv[],
			int death)
{
	enum err err;

	if (c->pid || s->state == STOPPING)
		return false;
	if (c->started && (double)(clock_ms() - c->started) < restart_pause * 1000) {
		ev_timer_set(&s->retry, restart_pause, 0);
		ev_timer_start(s->loop, &s->retry);
		return false;
	}
	err = child_start(c, s->loop, s->kept, program, argv, death, &child_ops, s);
	if (err)
		log_err(NULL, "start-failed", kv_str("process", argv[0]), kv_err(err));
	else if (c->starts > 1)
		log_notice(NULL, "restarted", kv_str("process", argv[0]),
			   kv_u64("pid", (uint64_t)c->pid));
	return !err;
}

static void start_holder(struct super *s)
{
	enum err err;

	if (!s->isolate || s->holder)
		return;
	err = holder_start(&s->holder, &s->holder_fd);
	if (err)
		log_err(NULL, "no-namespaces", kv_str("error", strerror(errno)));
}

static void enter_namespaces(struct super *s)
{
	EnterNamespaces enter = ENTER_NAMESPACES__INIT;
	ToZygote m = TO_ZYGOTE__INIT;

	if (s->holder_fd < 0 || !s->isolate)
		return;
	m.msg_case = TO_ZYGOTE__MSG_ENTER;
	m.enter = &enter;
	tell_child(&s->zygote, &m.base, s->holder_fd);
}

static void note_started(struct super *s, bool main, bool auth, bool zygote)
{
	if (main)
		manager_started(s->manager, ROLE__ROLE_MAIN);
	if (auth)
		manager_started(s->manager, ROLE__ROLE_AUTH);
	if (zygote)
		manager_started(s->manager, ROLE__ROLE_ZYGOTE);
}

/* Starts whoever is not running, gives each what is kept for it, and connects them. */
static void start_missing(struct super *s)
{
	char title[] = "sallyport-worker";
	char *const zygote_argv[] = { title, NULL };
	const struct programs *p = &s->args->programs;
	bool main, auth, zygote;

	start_holder(s);
	main = start_child(s, &s->main, p->self, s->args->main_argv, SIGTERM);
	auth = start_child(s, &s->auth, p->auth, s->args->auth_argv, 0);
	zygote = start_child(s, &s->zygote, p->worker, zygote_argv, SIGKILL);
	if (main)
		tell_kept(&s->main, s->kept, s->up_since);
	if (auth)
		tell_kept(&s->auth, s->kept, s->up_since);
	if (zygote)
		enter_namespaces(s);
	note_started(s, main, auth, zygote);
	if (main || auth)
		tell_each_other(&s->main, &s->auth);
	if (main || zygote)
		tell_each_other(&s->main, &s->zygote);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	start_missing(w->data);
}

/* ---- ending -------------------------------------------------------------- */

static void kill_all(struct super *s, int sig)
{
	if (s->main.pid)
		kill(s->main.pid, sig);
	if (s->auth.pid)
		kill(s->auth.pid, sig);
	if (s->zygote.pid)
		kill(s->zygote.pid, sig);
	/* Takes every worker along; those without namespaces end when their channels close. */
	if (s->holder)
		kill(s->holder, SIGKILL);
}

static void on_kill(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	kill_all(w->data, SIGKILL);
}

static enum err remove_socket_file(void *arg, const struct kept_fd *kept)
{
	(void)arg;
	if (kept->kind == FD_KIND__FD_CTL && kept->note_len &&
	    kept->note[kept->note_len - 1] == '\0')
		unlink((const char *)kept->note);
	return ERR_OK;
}

/* A main that stopped in order has removed its socket; one that crashed could not. */
static void remove_left_over(struct super *s)
{
	if (s->main_stopped)
		return;
	(void)!fdstore_each(s->kept, remove_socket_file, s);
}

static void stop(struct super *s, int status)
{
	if (s->state == STOPPING)
		return;
	s->state = STOPPING;
	s->status = status;
	manager_stopping(s->manager, (uint64_t)(stop_patience * 1000));
	manager_end(s->manager);
	remove_left_over(s);
	talloc_free(s->auth.chan);
	s->auth.chan = NULL;
	talloc_free(s->zygote.chan);
	s->zygote.chan = NULL;
	kill_all(s, SIGTERM);
	ev_timer_set(&s->kill, stop_patience, stop_patience);
	ev_timer_start(s->loop, &s->kill);
}

static void worker_ended(struct super *s, pid_t pid, int status)
{
	WorkerExited ended = WORKER_EXITED__INIT;
	ToMain m = TO_MAIN__INIT;

	ended.pid = (uint32_t)pid;
	ended.status = (uint32_t)status;
	m.msg_case = TO_MAIN__MSG_WORKER_EXITED;
	m.worker_exited = &ended;
	tell_child(&s->main, &m.base, -1);
}

static void main_ended(struct super *s, int status)
{
	child_ended(&s->main);
	s->main_stopped = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	/* Another main would not know that it was to stop. */
	if (s->main_stopped || s->stop_asked)
		stop(s, 0);
	else if (s->state == STARTING)
		stop(s, 1);
}

static void holder_ended(struct super *s)
{
	close(s->holder_fd);
	s->holder = 0;
	s->holder_fd = -1;
	/* Every worker died with it, and the zygote forks into a dead namespace. */
	if (s->zygote.pid)
		kill(s->zygote.pid, SIGKILL);
}

static void log_end(const struct super *s, const char *process, pid_t pid, int status)
{
	if (s->state == STOPPING && WIFSIGNALED(status) &&
	    (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL))
		return; /* as it was told */
	if (WIFSIGNALED(status))
		log_err(NULL, "crashed", kv_str("process", process), kv_u64("pid", (uint64_t)pid),
			kv_u64("signal", (uint64_t)WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		log_err(NULL, "failed", kv_str("process", process), kv_u64("pid", (uint64_t)pid),
			kv_u64("status", (uint64_t)WEXITSTATUS(status)));
}

/* While serving, a helper is started for as long as it takes.  At the start somebody is waiting for
 * an answer, and one that ended this often will not come up the next time. */
static void helper_ended(struct super *s, struct child *c, const char *name)
{
	child_ended(c);
	if (s->state != STARTING || c->starts < START_TRIES)
		return;
	fprintf(stderr, "error: %s does not start; the log says why\n", name);
	stop(s, 1);
}

static void on_child(struct ev_loop *loop, ev_child *w, int revents)
{
	struct super *s = w->data;
	pid_t pid = w->rpid;

	(void)loop;
	(void)revents;
	if (pid == s->main.pid) {
		log_end(s, "main", pid, w->rstatus);
		main_ended(s, w->rstatus);
	} else if (pid == s->auth.pid) {
		log_end(s, "auth", pid, w->rstatus);
		helper_ended(s, &s->auth, "sallyport-auth");
	} else if (pid == s->zygote.pid) {
		log_end(s, "zygote", pid, w->rstatus);
		helper_ended(s, &s->zygote, "sallyport-worker");
	} else if (pid == s->holder) {
		holder_ended(s);
	} else {
		worker_ended(s, pid, w->rstatus);
	}
	if (s->state != STOPPING)
		start_missing(s);
	else if (!s->main.pid && !s->auth.pid && !s->zygote.pid && !s->holder)
		ev_break(s->loop, EVBREAK_ALL);
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct super *s = w->data;
	Stop stop_msg = STOP__INIT;
	Maintain maintain = MAINTAIN__INIT;
	ToMain m = TO_MAIN__INIT;

	(void)loop;
	(void)revents;
	if (w->signum == SIGUSR1)
		return;
	if (w->signum == SIGHUP) {
		ask_reload(s);
		return;
	}
	if (w->signum == SIGUSR2) {
		m.msg_case = TO_MAIN__MSG_MAINTAIN;
		m.maintain = &maintain;
	} else {
		m.msg_case = TO_MAIN__MSG_STOP;
		m.stop = &stop_msg;
		s->stop_asked = true;
	}
	if (!s->main.chan && m.msg_case == TO_MAIN__MSG_STOP)
		stop(s, 0); /* nobody is left to be asked */
	else
		tell_child(&s->main, &m.base, -1);
}

/* ---- the watch over the children ----------------------------------------- */

static struct child *child_of_role(struct super *s, Role role)
{
	return role == ROLE__ROLE_MAIN ? &s->main : role == ROLE__ROLE_AUTH ? &s->auth : &s->zygote;
}

static void on_ask(void *arg, Role role)
{
	tell_ping(child_of_role(arg, role));
}

/* Its successor gets what was kept for it, and the tunnels do not notice. */
static void on_hangs(void *arg, Role role)
{
	const struct child *c = child_of_role(arg, role);

	if (!c->pid)
		return;
	log_err(NULL, "hangs",
		kv_str("process", role == ROLE__ROLE_MAIN   ? "main"
				  : role == ROLE__ROLE_AUTH ? "auth"
							    : "zygote"),
		kv_u64("pid", (uint64_t)c->pid));
	kill(c->pid, SIGKILL);
}

static const struct manager_ops manager_ops = { on_ask, on_hangs };

/* ---- set-up -------------------------------------------------------------- */

/* SIGUSR1 has no meaning: scripts that rotate logs send it to any daemon, and it must not end us.
 */
static void watch(struct super *s)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGUSR1 };

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		ev_signal_init(&s->on_signal[i], on_signal, signals[i]);
		s->on_signal[i].data = s;
		ev_signal_start(s->loop, &s->on_signal[i]);
	}
	ev_child_init(&s->reaper, on_child, 0, 0);
	ev_timer_init(&s->retry, on_retry, 0, 0);
	ev_timer_init(&s->kill, on_kill, 0, 0);
	s->reaper.data = s->retry.data = s->kill.data = s;
	ev_child_start(s->loop, &s->reaper);
}

/* Two descriptors a session are kept here, and main and auth inherit the limit. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The store, with what systemd has opened for us. */
static enum err open_store(struct super *s)
{
	unsigned n = 0;
	enum err err = fdstore_new(s, &s->kept);

	if (!err)
		err = inherited_keep(s->kept, &n);
	if (n)
		fprintf(stderr, "listening on %u systemd sockets...\n", n);
	return err;
}

int super_run(const struct super_args *args)
{
	struct super *s = talloc_zero(NULL, struct super);
	int status;

	if (s)
		s->loop = ev_default_loop(0);
	if (!s || open_store(s) || manager_new(s, s->loop, &manager_ops, s, &s->manager)) {
		talloc_free(s);
		return 1;
	}
	s->args = args;
	s->isolate = args->isolate;
	s->state = STARTING;
	s->holder_fd = -1;
	s->up_since = clock_unix();
	s->main.role = ROLE__ROLE_MAIN;
	s->auth.role = ROLE__ROLE_AUTH;
	s->zygote.role = ROLE__ROLE_ZYGOTE;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	raise_limits();
	watch(s);
	start_missing(s);
	ev_run(s->loop, 0);
	status = s->status;
	talloc_free(s);
	ev_loop_destroy(EV_DEFAULT_UC);
	return status;
}
