/* account.c - between the engine of auth/accounting, the sessions, main, and the runners. */
#include "auth/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/accounting/accounting.h"
#include "base/clock.h"
#include "base/str.h"
#include "ipc/convert.h"

enum {
	AT_ONCE = 4,
	QUEUED = 10000,	    /* with its journal record 1.5 KiB each */
	AGE = 24 * 60 * 60, /* seconds; a server that is away longer has forgotten the sessions */
};

/* Seconds that a service that stops waits for the next answer of whoever takes its records, and
 * that it takes for them altogether; the supervisor waits a bit longer. */
static const double stop_quiet = 5, stop_most = 15;

/* RFC 2866 5.10, as radius.md 5.2 assigns it. */
static enum acct_cause cause_of(EndReason reason)
{
	switch (reason) {
	case END_REASON__END_USER:
		return ACCT_USER_REQUEST;
	case END_REASON__END_SERVER:
	case END_REASON__END_ADMIN:
		return ACCT_ADMIN_RESET;
	case END_REASON__END_IDLE:
		return ACCT_IDLE_TIMEOUT;
	case END_REASON__END_SESSION_TIMEOUT:
		return ACCT_SESSION_TIMEOUT;
	case END_REASON__END_DPD:
		return ACCT_LOST_CARRIER;
	case END_REASON__END_ERROR:
		return ACCT_USER_ERROR;
	default:
		return ACCT_LOST_SERVICE;
	}
}

static struct acct_traffic traffic_of(const Counters *c)
{
	return (struct acct_traffic){ c->rx_bytes, c->rx_packets, c->tx_bytes, c->tx_packets };
}

/* ---- what the engine needs ------------------------------------------------ */

static int64_t ops_now(void *arg)
{
	(void)arg;
	return clock_unix();
}

/* A record under way, child of its owner in the engine. */
struct sending {
	struct auth *a;
	const struct auth_backend *backend;
	bool stop;
	acct_done_fn *done;
	void *arg;
	struct runner_job *job;
};

/* The lines of radius.md 5.2; N is the code of the client library where the runner gave one. */
static void log_failure(const struct sending *x, const char *reason)
{
	const char *code = str_starts(reason, "code ") ? reason + 5 : "-1";
	char text[80];

	snprintf(text, sizeof text, "radius-auth: radius_%s_session: %ld",
		 x->stop ? "close" : "open", strtol(code, NULL, 10));
	log_info(NULL, "accounting", kv_text(text));
}

/* While answers come there is reason to wait for more. */
static void wait_on(struct auth *a)
{
	double left = a->stop_by - ev_now(a->loop);

	if (!a->stopping)
		return;
	ev_timer_stop(a->loop, &a->give_up);
	ev_timer_set(&a->give_up, left < stop_quiet ? left : stop_quiet, 0);
	ev_timer_start(a->loop, &a->give_up);
}

static void on_verdict(void *arg, enum err err, const struct verdict *v)
{
	struct sending *x = arg;
	enum acct_outcome outcome = ACCT_FAILED;
	const char *reason = err ? err_text(err) : v->reason ? v->reason : "";

	if (!err && v->kind == VERDICT_ACCEPT)
		outcome = ACCT_TAKEN;
	else if (!err && v->kind == VERDICT_REJECT)
		outcome = ACCT_REFUSED;
	if (outcome != ACCT_TAKEN && strcmp(x->backend->name, "radius") == 0)
		log_failure(x, reason);
	if (outcome != ACCT_FAILED)
		wait_on(x->a);
	x->done(x->arg, outcome, reason); /* frees X */
}

static enum err ops_send(void *arg, TALLOC_CTX *owner, const struct acct_record *rec,
			 acct_done_fn *done, void *done_arg)
{
	struct auth *a = arg;
	const struct host *h = a->hosts ? hosts_find(a->hosts, rec->vhost) : NULL;
	struct backend_input input = { .user = rec->user,
				       .vhost = rec->vhost,
				       .sid = rec->sid,
				       .user_agent = rec->user_agent,
				       .remote = rec->remote,
				       .local = rec->local };
	struct runner_call call = { .work = WORK_ACCOUNT, .input = &input, .record = rec };
	struct sending *x;

	if (!a->hosts)
		return ERR_STATE; /* after a restart main still has to send them */
	if (!h || !h->acct.backend)
		return ERR_NOT_FOUND;
	x = talloc(owner, struct sending);
	if (!x)
		return ERR_NOMEM;
	*x = (struct sending){ a, h->acct.backend, rec->kind == ACCT_STOP, done, done_arg, NULL };
	call.backend = h->acct.backend;
	call.options = &h->acct.options;
	return runner_submit(a->runners, x, &call, on_verdict, x, &x->job);
}

static void ops_started(void *arg, const char *sid, uint64_t worker, bool ok)
{
	AccountResult msg = ACCOUNT_RESULT__INIT;

	msg.sid = (char *)(uintptr_t)sid;
	msg.worker_id = worker;
	msg.ok = ok;
	(void)main_tell(arg, TO_MAIN__MSG_ACCOUNT_RESULT, &msg);
}

static void ops_ask(void *arg, const char *sid)
{
	AskTraffic msg = ASK_TRAFFIC__INIT;

	msg.sid = (char *)(uintptr_t)sid;
	(void)main_tell(arg, TO_MAIN__MSG_ASK_TRAFFIC, &msg);
}

static void check_stopped(struct auth *a)
{
	if (!a->stopping || a->main || !accounting_is_idle(a->accounts))
		return;
	ev_timer_stop(a->loop, &a->give_up);
	ev_break(a->loop, EVBREAK_ALL);
}

static void ops_idle(void *arg)
{
	check_stopped(arg);
}

enum err accounts_open(struct auth *a)
{
	static const struct acct_ops ops = {
		.now = ops_now,
		.send = ops_send,
		.started = ops_started,
		.ask = ops_ask,
		.idle = ops_idle,
	};
	static const struct acct_limits limits = { AT_ONCE, QUEUED, AGE };
	enum err err = accounting_new(a, a->journal, &ops, a, &limits, &a->accounts);

	if (!err)
		accounting_restore(a->accounts);
	return err;
}

/* ---- sessions ------------------------------------------------------------- */

enum err accounts_begin(struct worker *w, const struct session *s, uint32_t interval, bool *needed)
{
	struct auth *a = w->auth;
	const struct host *h = hosts_find(a->hosts, s->vhost);
	struct acct_subject subject = { .sid = s->sid,
					.user = s->user,
					.group = s->group,
					.vhost = s->vhost,
					.user_agent = s->user_agent,
					.remote = w->remote,
					.local = w->local,
					.begun = s->started,
					.interval = interval };
	struct account *ac;
	enum err err;

	*needed = false;
	if (!h || !h->acct.wanted)
		return ERR_OK;
	if (!h->acct.backend)
		return ERR_UNSUPPORTED;
	subject.start_only = h->acct.backend->accounts_start_only;
	err = account_begin(a->accounts, &subject, &ac);
	if (!err)
		*needed = account_wants_start(ac);
	return err;
}

void accounts_start(struct auth *a, const AccountSession *msg)
{
	struct account *ac = account_find(a->accounts, msg->sid);
	struct addr v4 = ipc_addr_read(&msg->v4), v6 = ipc_addr_read(&msg->v6);

	if (ac && !account_is_over(ac))
		account_start(ac, msg->worker_id, &v4, &v6);
	else /* the session has ended meanwhile */
		ops_started(a, msg->sid, msg->worker_id, false);
}

void accounts_opened(struct auth *a, const SessionOpened *msg)
{
	struct account *ac = account_find(a->accounts, msg->sid);
	struct addr v4 = ipc_addr_read(&msg->v4), v6 = ipc_addr_read(&msg->v6);

	if (ac)
		account_opened(ac, &v4, &v6);
}

void accounts_closed(struct auth *a, const SessionClosed *msg, bool goes_on)
{
	struct account *ac = account_find(a->accounts, msg->sid);
	struct acct_traffic total;

	if (!ac)
		return;
	if (msg->total)
		total = traffic_of(msg->total);
	account_closed(ac, cause_of(msg->reason), msg->total ? &total : NULL, goes_on);
}

void accounts_traffic(struct auth *a, const SessionTraffic *msg)
{
	struct account *ac = account_find(a->accounts, msg->sid);
	struct acct_traffic total;

	if (!ac || !msg->total)
		return;
	total = traffic_of(msg->total);
	account_count(ac, &total);
}

void accounts_over(struct auth *a, const char *sid, EndReason reason)
{
	struct account *ac = account_find(a->accounts, sid);

	if (ac)
		account_over(ac, reason ? cause_of(reason) : (enum acct_cause)0);
}

void accounts_lost(struct auth *a, const struct session *s)
{
	struct account *ac = account_find(a->accounts, s->sid);

	if (ac)
		account_closed(ac, ACCT_LOST_SERVICE, NULL, true);
}

static void reconcile_one(void *arg, struct account *ac)
{
	struct auth *a = arg;

	if (!account_is_over(ac) && !store_by_sid(a->store, account_sid(ac)))
		account_over(ac, (enum acct_cause)0);
}

void accounts_reconcile(struct auth *a)
{
	accounting_each(a->accounts, reconcile_one, a);
}

/* ---- time ----------------------------------------------------------------- */

void accounts_tick(struct auth *a)
{
	accounting_tick(a->accounts);
}

static void on_give_up(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct auth *a = w->data;

	(void)revents;
	accounting_give_up(a->accounts);
	ev_break(loop, EVBREAK_ALL);
}

void accounts_stop(struct auth *a)
{
	a->stopping = true;
	/* Stopped before it was started. */
	if (!a->accounts) {
		ev_break(a->loop, EVBREAK_ALL);
		return;
	}
	ev_init(&a->give_up, on_give_up);
	a->give_up.data = a;
	a->stop_by = ev_now(a->loop) + stop_most;
	wait_on(a);
	if (!a->main)
		accounts_main_gone(a);
}

void accounts_main_gone(struct auth *a)
{
	if (!a->stopping || !a->accounts)
		return;
	accounting_stop(a->accounts);
	check_stopped(a);
}
