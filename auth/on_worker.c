/* on_worker.c - workers: their channels, their requests, and what logins tell them. */
#include <sys/socket.h>
#include <unistd.h>

#include "auth/open.h"
#include "auth/process.h"
#include "auth/profile.h"
#include "auth/relay.h"
#include "auth/resume.h"
#include "base/clock.h"
#include "base/secret.h"
#include "ipc/convert.h"
#include "ipc/route.h"

enum {
	/* A connection needs a handful of signatures and login steps, and a signature for each
	 * renewal of keys.  More is a worker in hostile hands that keeps us from serving others. */
	BUDGET = 64,
	REFILL_MS = 1000,
};

/* ---- life ----------------------------------------------------------------- */

static struct worker **bucket(const struct auth *a, uint64_t id)
{
	return (struct worker **)&a->worker[id % WORKER_BUCKETS];
}

struct worker *worker_by_id(const struct auth *a, uint64_t id)
{
	struct worker *w;

	for (w = *bucket(a, id); w; w = w->next)
		if (w->id == id)
			break;
	return w;
}

/* A login goes on without its worker; a session's tunnel is main's to end. */
static int worker_destroy(struct worker *w)
{
	*w->prev = w->next;
	if (w->next)
		w->next->prev = w->prev;
	if (w->fd >= 0)
		close(w->fd);
	logins_worker_gone(w->auth->logins, w->id);
	return 0;
}

void worker_forget(struct worker *w)
{
	talloc_free(w);
}

/* Ends a worker that broke the protocol.  The supervisor holds another descriptor of the channel,
 * so closing ours would not be felt. */
static void cut_off(struct worker *w, enum err why)
{
	struct log_ctx log = { .ip = &w->remote.addr };

	log_warn(&log, "worker-cut-off", kv_u64("worker", w->id), kv_err(why));
	if (w->chan)
		shutdown(chan_fd(w->chan), SHUT_RDWR);
	worker_forget(w);
}

/* A worker that does not exist any more has closed the channel, and we shall hear of it. */
void worker_tell(struct worker *w, ToWorker__MsgCase kind, void *field)
{
	ToWorker top = TO_WORKER__INIT;
	enum err err;

	top.msg_case = kind;
	/* All members of the union are pointers to messages. */
	top.signed_ = field;
	err = w->chan ? chan_send(w->chan, &top.base, NULL, 0) : ERR_CLOSED;
	if (err == ERR_EXHAUSTED)
		cut_off(w, err);
}

void worker_charge(const struct worker *w, uint32_t points)
{
	Endpoint remote = ipc_endpoint(&w->remote);
	Charge msg = CHARGE__INIT;

	msg.points = points;
	msg.remote = &remote;
	if (points)
		(void)main_tell(w->auth, TO_MAIN__MSG_CHARGE, &msg);
}

/* ---- requests ------------------------------------------------------------- */

/* The set of keys that the worker's certificates belong to. */
static struct hosts *hosts_of(const struct worker *w, uint64_t generation)
{
	const struct auth *a = w->auth;

	if (!generation || w->hosts->generation == generation)
		return w->hosts;
	if (a->hosts->generation == generation)
		return a->hosts;
	return a->previous && a->previous->generation == generation ? a->previous : NULL;
}

/* A signature under way; a child of its worker. */
struct signing {
	struct worker *worker;
	uint32_t key, op, algorithm;
	const char *vhost;
	struct hosts *hosts; /* whose key it is; referenced */
	TicketKey *ticket;   /* goes along; NULL: none */
};

/* A signature that cannot be made is answered, too: the worker's handshake waits for it. */
static void signed_with(void *arg, enum err err, const uint8_t *data, size_t len)
{
	struct signing *s = arg;
	struct worker *w = s->worker;
	struct log_ctx log = { .vhost = s->vhost, .ip = &w->remote.addr };
	Signed result = SIGNED__INIT;

	result.ok = !err;
	result.data.data = (uint8_t *)(uintptr_t)data;
	result.data.len = len;
	result.ticket = err ? NULL : s->ticket;
	if (err)
		log_warn(&log, "not-signed", kv_u64("key", s->key), kv_u64("op", s->op),
			 kv_u64("algorithm", s->algorithm), kv_err(err));
	/* Telling may end the worker. */
	w->signing = NULL;
	(void)talloc_steal(NULL, s);
	worker_tell(w, TO_WORKER__MSG_SIGNED, &result);
	talloc_free(s);
}

/* What a token has to do comes back later; one after the other, so that a worker in hostile hands
 * cannot fill its queue. */
static enum err on_sign(struct auth *a, struct worker *w, const Sign *msg, struct ipc_fds *fds)
{
	struct hosts *hosts = hosts_of(w, msg->generation);
	const struct host *h = hosts ? hosts_find(hosts, msg->vhost) : NULL;
	struct signing *s = w->signing ? NULL : talloc_zero(w, struct signing);
	enum err err = h ? ERR_OK : ERR_NOT_FOUND;

	(void)a;
	(void)fds;
	if (!s)
		return w->signing ? ERR_STATE : ERR_NOMEM;
	*s = (struct signing){ w,     msg->key, (uint32_t)msg->op, msg->algorithm, msg->vhost,
			       hosts, NULL };
	w->signing = s;
	if (!err) {
		s->vhost = h->conf->name;
		s->ticket = *msg->ticket_vhost ? resume_issue(s, w, msg) : NULL;
		err = talloc_reference(s, hosts) ? keys_sign(s, h->keys, msg, signed_with, s)
						 : ERR_NOMEM;
	}
	if (err)
		signed_with(s, err, NULL, 0);
	return ERR_OK;
}

static enum err on_ticket_find(struct auth *a, struct worker *w, const TicketFind *msg,
			       struct ipc_fds *fds)
{
	(void)a;
	(void)fds;
	return resume_find(w, msg);
}

static enum err on_step(struct auth *a, struct worker *w, const Step *msg, struct ipc_fds *fds)
{
	const struct login_peer peer = { w->id, w->remote, w->local };

	(void)fds;
	logins_step(a->logins, &peer, msg);
	return ERR_OK;
}

static enum err on_open(struct auth *a, struct worker *w, const OpenSession *msg,
			struct ipc_fds *fds)
{
	(void)a;
	(void)fds;
	session_open(w, msg);
	return ERR_OK;
}

static enum err on_logout(struct auth *a, struct worker *w, const Logout *msg, struct ipc_fds *fds)
{
	(void)w;
	(void)fds;
	session_logout(a, msg);
	return ERR_OK;
}

static enum err on_recall(struct auth *a, struct worker *w, const Recall *msg, struct ipc_fds *fds)
{
	(void)a;
	(void)fds;
	session_recall(w, msg);
	return ERR_OK;
}

static enum err on_relay(struct auth *a, struct worker *w, const Relay *msg, struct ipc_fds *fds)
{
	(void)a;
	(void)fds;
	return relay_request(w, msg);
}

#define WORKER_ROUTES(R)                                                                           \
	R(ToAuth, sign, TO_AUTH__MSG_SIGN, AUTH_FROM_WORKER, AUTH_SERVING, 0, on_sign)             \
	R(ToAuth, ticket_find, TO_AUTH__MSG_TICKET_FIND, AUTH_FROM_WORKER, AUTH_SERVING, 0,        \
	  on_ticket_find)                                                                          \
	R(ToAuth, step, TO_AUTH__MSG_STEP, AUTH_FROM_WORKER, AUTH_SERVING, 0, on_step)             \
	R(ToAuth, open_session, TO_AUTH__MSG_OPEN_SESSION, AUTH_FROM_WORKER, AUTH_SERVING, 0,      \
	  on_open)                                                                                 \
	R(ToAuth, relay, TO_AUTH__MSG_RELAY, AUTH_FROM_WORKER, AUTH_SERVING, 0, on_relay)          \
	R(ToAuth, recall, TO_AUTH__MSG_RECALL, AUTH_FROM_WORKER, AUTH_SERVING, 0, on_recall)       \
	R(ToAuth, logout, TO_AUTH__MSG_LOGOUT, AUTH_FROM_WORKER, AUTH_SERVING, 0, on_logout)

ROUTES_DEFINE(worker_routes, WORKER_ROUTES)

/* Every request costs one of the budget, which fills up again by one a second. */
static bool may_ask(struct worker *w, uint64_t now)
{
	uint64_t more = (now - w->budget_ms) / REFILL_MS;

	if (more) {
		w->budget = more > BUDGET - w->budget ? BUDGET : w->budget + (unsigned)more;
		w->budget_ms += more * REFILL_MS;
	}
	if (!w->budget)
		return false;
	w->budget--;
	return true;
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct worker *w = arg;
	struct auth *a = w->auth;
	uint64_t id = w->id;
	enum err err = ERR_EXHAUSTED;

	(void)chan;
	if (may_ask(w, clock_ms()))
		err = route_dispatch(&worker_routes, a, w, AUTH_FROM_WORKER, a->phase, msg, fds);
	/* The handler's answer may have found the worker not reading, and ended it. */
	if (err && worker_by_id(a, id))
		cut_off(w, err);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct worker *w = arg;

	(void)chan;
	if (why == ERR_CLOSED)
		worker_forget(w);
	else
		cut_off(w, why);
}

/* ---- channels ------------------------------------------------------------- */

/* What an earlier instance of auth left unread will be repeated after our hello. */
static enum err drain(int fd)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ProtobufCMessage *msg;
	struct ipc_fds fds;
	enum err err;

	do {
		err = ipc_recv(tmp, fd, &to_auth__descriptor, &msg, &fds);
		if (!err)
			ipc_fds_close(&fds);
	} while (!err);
	talloc_free(tmp);
	return err == ERR_AGAIN ? ERR_OK : err;
}

/* From here on the worker is heard.  It keeps the configuration's keys alive as long as it lives,
 * because TLS 1.2 may ask for another signature hours later. */
static void open_channel(struct worker *w)
{
	static const struct chan_ops ops = { on_message, on_closed };
	struct auth *a = w->auth;
	AuthHello hello = AUTH_HELLO__INIT;
	enum err err = w->restored ? drain(w->fd) : ERR_OK;
	int fd = w->fd;

	w->hosts = talloc_reference(w, a->hosts);
	if (!w->hosts)
		err = ERR_NOMEM;
	if (!err) {
		w->fd = -1;
		err = chan_new(w, a->loop, fd, &to_auth__descriptor, &ops, w, &w->chan);
	}
	if (err)
		worker_forget(w);
	else if (w->restored)
		worker_tell(w, TO_WORKER__MSG_AUTH_HELLO, &hello);
}

void workers_open(struct auth *a)
{
	for (size_t i = 0; i < WORKER_BUCKETS; i++) {
		struct worker *next;

		for (struct worker *w = a->worker[i]; w; w = next) {
			next = w->next;
			if (!w->chan)
				open_channel(w);
		}
	}
}

enum err worker_add(struct auth *a, const WorkerNew *msg, int fd, bool restored)
{
	struct worker *w = worker_by_id(a, msg->worker_id) ? NULL : talloc_zero(a, struct worker);

	if (!w) {
		close(fd);
		return ERR_EXISTS;
	}
	w->auth = a;
	w->id = msg->worker_id;
	w->fd = fd;
	w->restored = restored;
	w->budget = BUDGET;
	w->budget_ms = clock_ms();
	w->remote = ipc_endpoint_read(msg->remote);
	w->local = ipc_endpoint_read(msg->local);
	w->remote_known = !msg->proxy;
	w->prev = bucket(a, w->id);
	w->next = *w->prev;
	if (w->next)
		w->next->prev = &w->next;
	*w->prev = w;
	talloc_set_destructor(w, worker_destroy);
	if (a->phase == AUTH_SERVING)
		open_channel(w);
	return ERR_OK;
}

/* ---- for logins ----------------------------------------------------------- */

static const struct login_policy *ops_policy(void *arg, const char *vhost)
{
	const struct auth *a = arg;
	const struct host *h = hosts_find(a->hosts, vhost);

	return h ? &h->policy : NULL;
}

static int64_t ops_now(void *arg)
{
	(void)arg;
	return clock_unix();
}

static enum err ops_run(void *arg, TALLOC_CTX *owner, const struct runner_call *call,
			runner_done_fn *done, void *done_arg, struct runner_job **job)
{
	struct auth *a = arg;

	return runner_submit(a->runners, owner, call, done, done_arg, job);
}

/* With the ticket goes the profile that its user is offered. */
static void tell_ticket(struct worker *w, const StepResult *result)
{
	const LoginTicket *login = result->ticket;
	const struct session *s =
		store_by_cookie(w->auth->store, login->cookie.data, login->cookie.len);
	const struct host *host = s ? hosts_find(w->auth->hosts, s->vhost) : NULL;
	TALLOC_CTX *tmp = talloc_new(NULL);
	Profile profile = PROFILE__INIT;
	StepResult whole = *result;
	LoginTicket ticket = *login;

	if (host)
		profile_of(tmp, host, s, &profile);
	ticket.profile = &profile;
	whole.ticket = &ticket;
	worker_tell(w, TO_WORKER__MSG_STEP, &whole);
	talloc_free(tmp);
}

static void ops_answer(void *arg, uint64_t worker, const StepResult *result)
{
	struct worker *w = worker_by_id(arg, worker);

	if (w && result->result_case == STEP_RESULT__RESULT_TICKET)
		tell_ticket(w, result);
	else if (w)
		worker_tell(w, TO_WORKER__MSG_STEP, (void *)(uintptr_t)result);
}

static bool ops_abandon(void *arg, struct runner_job *job, TALLOC_CTX *owner, runner_done_fn *done,
			void *done_arg)
{
	(void)arg;
	return runner_abandon(job, owner, done, done_arg);
}

static void ops_failed(void *arg, uint64_t worker, const struct endpoint *remote, const char *user,
		       uint32_t points, bool final)
{
	LoginFailed msg = LOGIN_FAILED__INIT;
	Endpoint client = ipc_endpoint(remote);

	msg.remote = &client;
	msg.worker_id = worker;
	msg.user = (char *)(uintptr_t)user;
	msg.points = points;
	msg.final = final;
	(void)main_tell(arg, TO_MAIN__MSG_LOGIN_FAILED, &msg);
}

static enum err ops_grant(void *arg, const struct login_grant *grant)
{
	return session_begin(arg, grant);
}

const struct logins_ops worker_logins_ops = {
	.policy = ops_policy,
	.now = ops_now,
	.run = ops_run,
	.abandon = ops_abandon,
	.answer = ops_answer,
	.failed = ops_failed,
	.grant = ops_grant,
};
