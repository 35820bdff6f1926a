/* workers.c - the life of a worker as main sees it: born with its channels, told things, gone when
 * its channel ends. */
#include "main/workers.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/convert.h"
#include "main/connect.h"
#include "main/on_worker.h"
#include "main/sessions.h"
#include "main/zygote.h"

enum {
	ID_SHIFT = 24,	    /* ids of an instance start at its UNIX time, so none is used twice */
	NOTE_MAX = 96,	    /* a Spawn is two addresses with ports and a number */
	LOGIN_GRACE = 30,   /* seconds the worker has to notice auth-timeout itself */
	SESSION_GRACE = 10, /* and session-timeout; auth forgets the session a little later */
};

struct workers {
	struct worker *first;
	size_t n;
	uint64_t next_id;
	struct index *by_id, *by_pid;
};

/* Workers first: they leave the indexes. */
static int workers_free(struct workers *ws)
{
	while (ws->first)
		talloc_free(ws->first);
	return 0;
}

enum err workers_new(struct main_ctx *m, struct workers **out)
{
	struct workers *ws = talloc_zero(m, struct workers);

	if (!ws)
		return ERR_NOMEM;
	ws->next_id = (uint64_t)clock_unix() << ID_SHIFT;
	if (index_new(ws, &ws->by_id) || index_new(ws, &ws->by_pid)) {
		talloc_free(ws);
		return ERR_NOMEM;
	}
	talloc_set_destructor(ws, workers_free);
	*out = ws;
	return ERR_OK;
}

/* ---- finding ------------------------------------------------------------- */

struct worker *worker_by_id(const struct main_ctx *m, uint64_t id)
{
	const struct index *ix = m->workers->by_id;

	for (struct index_node *n = index_first(ix, &id, sizeof id); n; n = index_next(n)) {
		struct worker *w = n->item;
		if (w->id == id)
			return w;
	}
	return NULL;
}

struct worker *worker_by_pid(const struct main_ctx *m, uint32_t pid)
{
	const struct index *ix = m->workers->by_pid;

	for (struct index_node *n = index_first(ix, &pid, sizeof pid); n; n = index_next(n)) {
		struct worker *w = n->item;
		if (w->pid == pid)
			return w;
	}
	return NULL;
}

struct worker *workers_first(const struct main_ctx *m)
{
	return m->workers->first;
}

size_t workers_count(const struct main_ctx *m)
{
	return m->workers->n;
}

size_t workers_in_login(const struct main_ctx *m)
{
	return m->workers->n - sessions_open_count(m);
}

/* ---- process ids --------------------------------------------------------- */

/* A main that follows must learn the process from us: a worker might name any. */
static void pid_key(const struct worker *w, uint8_t key[JOURNAL_KEY])
{
	memset(key, 0, JOURNAL_KEY);
	key[0] = WORKER_KEY;
	memcpy(key + 1, &w->id, sizeof w->id);
}

static void take_pid(struct worker *w, uint32_t pid)
{
	w->pid = pid;
	index_add(w->m->workers->by_pid, &w->by_pid, &w->pid, sizeof w->pid, w);
}

void worker_set_pid(struct worker *w, uint32_t pid)
{
	uint8_t key[JOURNAL_KEY];

	take_pid(w, pid);
	if (w->killed)
		kill((pid_t)pid, SIGKILL);
	pid_key(w, key);
	if (journal_put(w->m->journal, key, &pid, sizeof pid))
		log_err(NULL, "journal-failed", kv_u64("worker", w->id));
}

bool worker_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		    size_t len)
{
	struct worker *w;
	uint64_t id;
	uint32_t pid;

	if (key[0] != WORKER_KEY || len != sizeof pid)
		return false;
	memcpy(&id, key + 1, sizeof id);
	memcpy(&pid, value, sizeof pid);
	w = worker_by_id(m, id);
	if (w)
		take_pid(w, pid);
	else
		journal_del(m->journal, key);
	return true;
}

const char *worker_state_text(const struct worker *w)
{
	if (w->session && w->session->worker == w && w->session->up)
		return "connected";
	if (w->auth_failed)
		return "auth failed";
	return w->user ? "authenticating" : "pre-auth";
}

struct log_ctx worker_log(const struct worker *w)
{
	if (w->session)
		return w->session->log;
	return (struct log_ctx){ .user = w->user, .vhost = w->vhost, .ip = &w->remote.addr };
}

/* ---- ending -------------------------------------------------------------- */

void worker_kill(struct worker *w)
{
	if (!w->ended) {
		w->ended = true;
		w->reason = END_REASON__END_ERROR;
		w->keep = true;
	}
	w->killed = true;
	w->state = WORKER_ENDING;
	if (w->pid && kill((pid_t)w->pid, SIGKILL) == 0)
		return;
	/* Not forked yet, or gone: the end of the channel is all it needs. */
	shutdown(chan_fd(w->chan), SHUT_RDWR);
}

static void on_impatient(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct worker *w = timer->data;
	struct log_ctx ctx = worker_log(w);

	(void)loop;
	(void)revents;
	log_warn(&ctx, "worker-killed", kv_u64("pid", w->pid), kv_str("why", "does not end"));
	worker_kill(w);
}

void worker_expect_end(struct worker *w, unsigned patience_ms)
{
	if (!patience_ms || ev_is_active(&w->patience))
		return;
	ev_timer_set(&w->patience, (double)patience_ms / 1000, 0);
	ev_timer_start(w->m->loop, &w->patience);
}

void worker_end(struct worker *w, EndReason reason, bool tell_client, unsigned patience_ms)
{
	End end = END__INIT;

	worker_expect_end(w, patience_ms);
	if (w->ended)
		return;
	w->ended = true;
	w->reason = reason;
	w->keep = end_reason_keeps(reason);
	end.reason = reason;
	end.tell_client = tell_client;
	worker_tell(w, TO_WORKER__MSG_END, &end, -1);
	w->state = WORKER_ENDING;
}

/* "user disconnected" for connections without a tunnel; connect_down says it for the others.  A
 * probe comes every few seconds and is nobody's business (protocol.md 2.1). */
static void log_gone(const struct worker *w)
{
	struct log_ctx ctx = worker_log(w);
	bool probe = w->reason == END_REASON__END_HEALTH_PROBE;
	char *text = talloc_asprintf(NULL, "user disconnected (reason: %s, rx: 0, tx: 0)",
				     end_reason_text(w->reason));

	if (text)
		log_event(probe ? LOG_LVL_DEBUG : LOG_LVL_INFO, &ctx, "disconnected",
			  LOG_KVS(kv_text(text)));
	talloc_free(text);
}

/* The channel has ended, and the worker has or is killed: nobody else holds its end. */
static void worker_gone(struct worker *w)
{
	struct main_ctx *m = w->m;
	WorkerGone gone = WORKER_GONE__INIT;

	if (!w->ended) { /* it died without a word */
		w->reason = w->session ? END_REASON__END_ERROR : END_REASON__END_UNSPECIFIED;
		w->keep = true;
	}
	main_drop_fd(m, FD_KIND__FD_WORKER_MAIN, w->id);
	main_drop_fd(m, FD_KIND__FD_WORKER_AUTH, w->id);
	if (w->session)
		connect_down(w->session, w);
	else
		log_gone(w);
	gone.worker_id = w->id;
	main_tell_auth(m, TO_AUTH__MSG_WORKER_GONE, &gone, -1);
	talloc_free(w);
	main_stop_check(m);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct worker *w = arg;

	(void)chan;
	/* An honest worker closes by ending.  One in hostile hands could go on with its device,
	 * whose rules and addresses are about to be others', so it ends here: also if it sends what
	 * is no message.  Without isolation the last that it does is to tidy up. */
	if (w->pid && (why == ERR_PROTO || w->m->conf->isolate_workers))
		kill((pid_t)w->pid, SIGKILL);
	worker_gone(w);
}

static int worker_free(struct worker *w)
{
	struct workers *ws = w->m->workers;
	uint8_t key[JOURNAL_KEY];

	pid_key(w, key);
	journal_del(w->m->journal, key);
	ev_timer_stop(w->m->loop, &w->patience);
	index_remove(&w->by_id);
	index_remove(&w->by_pid);
	*w->prev = w->next;
	if (w->next)
		w->next->prev = w->prev;
	ws->n--;
	return 0;
}

void worker_exited(struct main_ctx *m, uint32_t pid, uint32_t status)
{
	struct worker *w;
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	w = m->workers ? worker_by_pid(m, pid) : NULL;
	if (w) { /* its channel's end follows; the number may soon be someone else's */
		index_remove(&w->by_pid);
		w->pid = 0;
	}
	/* The zygote makes room for a fresh one by itself when a worker of its own crashed. */
	if (sig && sig != SIGKILL && sig != SIGTERM)
		log_err(NULL, "worker-crashed", kv_u64("pid", pid),
			kv_u64("signal", (uint64_t)sig));
}

static bool is_overdue(const struct worker *w, int64_t now)
{
	int64_t login = w->m->conf->auth_timeout;
	const struct session *s = w->session;

	if (w->state == WORKER_LOGIN)
		return login && now - w->accepted > login + LOGIN_GRACE;
	return w->state == WORKER_OPEN && s && s->worker == w && s->deadline &&
	       now > s->deadline + SESSION_GRACE;
}

void workers_check_time(struct main_ctx *m)
{
	int64_t now = clock_unix();

	for (struct worker *w = m->workers->first; w; w = w->next) {
		EndReason reason = w->state == WORKER_LOGIN ? END_REASON__END_AUTH_TIMEOUT
							    : END_REASON__END_SESSION_TIMEOUT;

		if (is_overdue(w, now))
			worker_end(w, reason, false, WORKER_PATIENCE_MS);
	}
}

/* ---- talking ------------------------------------------------------------- */

void worker_tell(struct worker *w, ToWorker__MsgCase kind, void *field, int fd)
{
	ToWorker top = TO_WORKER__INIT;
	struct log_ctx ctx;
	enum err err;

	top.msg_case = kind;
	top.tunnel = field; /* every member of the oneof is such a pointer */
	err = chan_send(w->chan, &top.base, &fd, fd >= 0);
	if (!err || err == ERR_CLOSED)
		return;
	ctx = worker_log(w);
	log_warn(&ctx, "worker-stuck", kv_u64("pid", w->pid), kv_err(err));
	worker_kill(w);
}

void worker_refuse(struct worker *w, uint32_t status, const char *reason)
{
	Refuse refuse = REFUSE__INIT;

	refuse.status = status;
	refuse.reason = (char *)(uintptr_t)reason;
	worker_tell(w, TO_WORKER__MSG_REFUSE, &refuse, -1);
}

/* ---- beginning ----------------------------------------------------------- */

/* A worker with its channel end FD, which is taken; closed on failure, too. */
static enum err worker_new(struct main_ctx *m, uint64_t id, int fd, struct worker **out)
{
	static const struct chan_ops ops = { on_worker_message, on_closed };
	struct workers *ws = m->workers;
	struct worker *w = talloc_zero(ws, struct worker);

	if (!w || chan_new(w, m->loop, fd, &to_main__descriptor, &ops, w, &w->chan)) {
		talloc_free(w);
		close(fd);
		return ERR_NOMEM;
	}
	w->m = m;
	w->id = id;
	w->state = WORKER_LOGIN;
	w->accepted = clock_unix();
	ev_timer_init(&w->patience, on_impatient, 0, 0);
	w->patience.data = w;
	w->next = ws->first;
	w->prev = &ws->first;
	if (w->next)
		w->next->prev = &w->next;
	ws->first = w;
	ws->n++;
	index_add(ws->by_id, &w->by_id, &w->id, sizeof w->id, w);
	talloc_set_destructor(w, worker_free);
	*out = w;
	return ERR_OK;
}

static bool tell_auth(struct main_ctx *m, const Spawn *spawn, int fd)
{
	WorkerNew new = WORKER_NEW__INIT;

	new.worker_id = spawn->worker_id;
	new.remote = spawn->remote;
	new.local = spawn->local;
	new.proxy = spawn->proxy;
	return main_tell_auth(m, TO_AUTH__MSG_WORKER_NEW, &new, fd);
}

/* Two channels; [0] is main's and auth's end, [1] the worker's. */
struct ends {
	int to_main[2], to_auth[2];
};

/* A Spawn with what it points to, and packed: what comes back to the next main or auth. */
struct facts {
	Spawn spawn;
	Endpoint remote, local;
	uint8_t packed[NOTE_MAX];
	ProtobufCBinaryData note;
};

static void fill_facts(const struct worker *w, struct facts *f)
{
	f->spawn = (Spawn)SPAWN__INIT;
	f->remote = ipc_endpoint(&w->remote);
	f->local = ipc_endpoint(&w->local);
	f->spawn.worker_id = w->id;
	f->spawn.remote = &f->remote;
	f->spawn.local = &f->local;
	f->spawn.proxy = w->proxy;
	f->spawn.proxied = w->proxied;
	f->note.data = f->packed;
	f->note.len = spawn__pack(&f->spawn, f->packed);
}

void worker_keep(struct worker *w)
{
	struct facts f;

	fill_facts(w, &f);
	main_keep_fd(w->m, FD_KIND__FD_WORKER_MAIN, w->id, chan_fd(w->chan), &f.note);
}

static enum err announce(struct main_ctx *m, struct worker *w, int fd, const struct ends *e)
{
	const int fds[3] = { fd, e->to_main[1], e->to_auth[1] };
	struct facts f;

	fill_facts(w, &f);
	main_keep_fd(m, FD_KIND__FD_WORKER_MAIN, w->id, e->to_main[0], &f.note);
	main_keep_fd(m, FD_KIND__FD_WORKER_AUTH, w->id, e->to_auth[0], &f.note);
	if (!tell_auth(m, &f.spawn, e->to_auth[0]))
		return ERR_CLOSED;
	return zygote_spawn(m, &f.spawn, fds);
}

enum err worker_start(struct main_ctx *m, int fd, const struct endpoint *remote,
		      const struct endpoint *local)
{
	struct ends e;
	struct worker *w;
	enum err err = ipc_pair(e.to_main);

	if (err)
		return err;
	err = ipc_pair(e.to_auth);
	if (err) {
		close(e.to_main[0]);
		close(e.to_main[1]);
		return err;
	}
	err = worker_new(m, m->workers->next_id++, e.to_main[0], &w);
	if (!err) {
		w->remote = *remote;
		w->local = *local;
		w->proxy = m->conf->listen_proxy_proto;
		w->charged = w->proxy ? 0 : m->conf->ban_points_connection;
		w->described = true;
		err = announce(m, w, fd, &e);
		/* The worker's end is closed below, so a worker that nobody made is seen to end. */
		if (err)
			w->ended = true;
	}
	close(e.to_main[1]);
	close(e.to_auth[0]);
	close(e.to_auth[1]);
	return err;
}

enum err worker_adopt(struct main_ctx *m, uint64_t id, int fd, const ProtobufCBinaryData *note)
{
	ProtobufCMessage *msg;
	struct worker *w;
	enum err err;

	if (id >= m->workers->next_id)
		m->workers->next_id = id + 1;
	err = worker_new(m, id, fd, &w);
	if (!err && !ipc_unpack(w, &spawn__descriptor, note->data, note->len, &msg)) {
		const Spawn *spawn = (const Spawn *)(const void *)msg;
		w->remote = ipc_endpoint_read(spawn->remote);
		w->local = ipc_endpoint_read(spawn->local);
		w->proxy = spawn->proxy;
		w->proxied = spawn->proxied;
		talloc_free(msg);
	}
	return err;
}
