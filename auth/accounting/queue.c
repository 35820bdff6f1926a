/* queue.c - records on their way: lines of accounts, one line for each host's server.
 *
 * An account stands in its line as long as a record of it waits; while one is under way it stands
 * in none.  A line whose server answers sends several records at once.  After a failure it sends
 * one, after a pause that grows, until there is an answer again.  Starts pass by: somebody waits
 * for them. */
#include <stdio.h>
#include <string.h>

#include "auth/accounting/account.h"

enum {
	PAUSE_FIRST = 2, /* seconds after a failure */
	PAUSE_MOST = 60,
	STOP_AT_ONCE = 16, /* records of a line when the service stops */
};

static int64_t now_of(const struct accounting *a)
{
	return a->ops->now(a->arg);
}

static struct line *line_of(struct accounting *a, const char *vhost)
{
	struct line *l;

	for (l = a->line; l && strcmp(l->vhost, vhost) != 0; l = l->next)
		;
	if (l)
		return l;
	l = talloc_zero(a, struct line);
	if (l)
		l->vhost = talloc_strdup(l, vhost);
	if (!l || !l->vhost) {
		talloc_free(l);
		return NULL;
	}
	l->tail = &l->head;
	l->next = a->line;
	a->line = l;
	return l;
}

static const char *kind_name(enum pending kind)
{
	return kind == PENDING_STOP ? "stop" : "interim";
}

/* ---- the queue ------------------------------------------------------------ */

void queue_remove(struct account *ac)
{
	struct line *l = ac->line;

	if (!l)
		return;
	*ac->q_prev = ac->q_next;
	if (ac->q_next)
		ac->q_next->q_prev = ac->q_prev;
	else
		l->tail = ac->q_prev;
	ac->q_next = NULL;
	ac->line = NULL;
	ac->in->queued--;
}

static void append(struct line *l, struct account *ac)
{
	ac->line = l;
	ac->q_next = NULL;
	ac->q_prev = l->tail;
	*l->tail = ac;
	l->tail = &ac->q_next;
	ac->in->queued++;
}

static void log_dropped(const struct account *ac, enum pending kind, const char *why)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);

	if (ac->f.pending & kind)
		log_err(&log, "accounting-dropped", kv_str("record", kind_name(kind)),
			kv_str("sid", ac->f.sid), kv_str("reason", why));
}

static void check_idle(struct accounting *a)
{
	if (accounting_is_idle(a))
		a->ops->idle(a->arg);
}

void queue_drop(struct account *ac, const char *why)
{
	struct accounting *a = ac->in;
	bool stop = ac->f.pending & PENDING_STOP;

	log_dropped(ac, PENDING_INTERIM, why);
	log_dropped(ac, PENDING_STOP, why);
	ac->f.pending = 0;
	queue_remove(ac);
	if (stop)
		account_free(ac);
	else
		account_save(ac);
	check_idle(a);
}

/* ---- sending -------------------------------------------------------------- */

struct acct_record account_record(const struct account *ac, enum acct_kind kind)
{
	const struct facts *f = &ac->f;
	int64_t until = kind == ACCT_INTERIM ? f->counted : f->active;
	int64_t happened = kind == ACCT_INTERIM ? f->counted : f->ended;
	int64_t delay = kind == ACCT_START ? 0 : now_of(ac->in) - happened;

	return (struct acct_record){
		.kind = kind,
		.sid = f->sid,
		.user = ac->user,
		.group = ac->group,
		.vhost = ac->vhost,
		.user_agent = ac->user_agent,
		.remote = f->remote,
		.local = f->local,
		.v4 = f->v4,
		.v6 = f->v6,
		.started = f->begun,
		.seconds = until > f->begun ? (uint32_t)(until - f->begun) : 0,
		.delay = delay > 0 ? (uint32_t)delay : 0,
		.rx_bytes = f->total.rx_bytes,
		.rx_packets = f->total.rx_packets,
		.tx_bytes = f->total.tx_bytes,
		.tx_packets = f->total.tx_packets,
		.terminate_cause = kind == ACCT_STOP ? f->cause : 0,
	};
}

static void run_line(struct accounting *a, struct line *l);

static void log_outcome(const struct account *ac, enum pending kind, enum acct_outcome outcome,
			const char *reason)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);

	if (outcome == ACCT_TAKEN)
		log_debug(&log, "accounting-taken", kv_str("record", kind_name(kind)),
			  kv_str("sid", ac->f.sid));
	else
		log_notice(&log, "accounting-failed", kv_str("record", kind_name(kind)),
			   kv_str("sid", ac->f.sid), kv_str("reason", reason),
			   kv_str("next", outcome == ACCT_FAILED ? "tried again" : "given up"));
}

/* Seconds to the next try after so many failures. */
static int64_t pause_after(unsigned failures)
{
	int64_t pause = PAUSE_FIRST;

	while (--failures && pause < PAUSE_MOST)
		pause *= 2;
	return pause < PAUSE_MOST ? pause : PAUSE_MOST;
}

static void note_outcome(struct accounting *a, struct line *l, enum acct_outcome outcome)
{
	l->under_way--;
	a->under_way--;
	if (outcome != ACCT_FAILED) {
		l->failures = 0;
	} else {
		l->failures++;
		l->retry = now_of(a) + pause_after(l->failures);
	}
}

static void on_done(void *arg, enum acct_outcome outcome, const char *reason)
{
	struct account *ac = arg;
	struct accounting *a = ac->in;
	struct line *l = line_of(a, ac->vhost);
	enum pending kind = ac->sent_kind;

	TALLOC_FREE(ac->sent);
	note_outcome(a, l, outcome);
	log_outcome(ac, kind, outcome, reason);
	if (outcome != ACCT_FAILED && !(kind == PENDING_INTERIM && ac->again))
		ac->f.pending &= (uint8_t)~kind;
	/* The Stop has everything that an Interim would say. */
	if (ac->f.pending & PENDING_STOP)
		ac->f.pending = PENDING_STOP;
	ac->again = false;
	if (kind == PENDING_STOP && !ac->f.pending) {
		account_free(ac);
	} else {
		account_save(ac);
		queue_add(ac);
	}
	run_line(a, l);
	check_idle(a);
}

/* False: it could not even be tried. */
static bool send_one(struct accounting *a, struct line *l, struct account *ac)
{
	enum pending kind = ac->f.pending & PENDING_INTERIM ? PENDING_INTERIM : PENDING_STOP;
	const struct acct_record rec =
		account_record(ac, kind == PENDING_STOP ? ACCT_STOP : ACCT_INTERIM);
	enum err err;

	ac->sent = talloc_new(ac);
	err = ac->sent ? a->ops->send(a->arg, ac->sent, &rec, on_done, ac) : ERR_NOMEM;
	if (!err) {
		queue_remove(ac);
		ac->sent_kind = kind;
		l->under_way++;
		a->under_way++;
		return true;
	}
	TALLOC_FREE(ac->sent);
	if (err == ERR_NOT_FOUND) {
		queue_drop(ac, "its host keeps no accounts any more");
		return true;
	}
	if (err != ERR_STATE) {
		l->failures++;
		l->retry = now_of(a) + pause_after(l->failures);
	}
	return false;
}

static bool may_send(const struct accounting *a, const struct line *l)
{
	unsigned most = a->stopping ? STOP_AT_ONCE : l->failures ? 1 : a->limits.at_once;

	return l->head && l->under_way < most && (!l->failures || now_of(a) >= l->retry);
}

static void run_line(struct accounting *a, struct line *l)
{
	while (may_send(a, l))
		if (!send_one(a, l, l->head))
			return;
}

void queue_run(struct accounting *a)
{
	for (struct line *l = a->line; l; l = l->next)
		run_line(a, l);
}

void queue_hurry(struct accounting *a)
{
	for (struct line *l = a->line; l; l = l->next)
		l->retry = 0;
}

/* Whose records are missed least: an Interim is made up for by what follows it, a Stop by nothing.
 */
static struct account *oldest(const struct line *l)
{
	struct account *ac;

	for (ac = l->head; ac && ac->f.pending & PENDING_STOP; ac = ac->q_next)
		;
	return ac ? ac : l->head;
}

void queue_add(struct account *ac)
{
	struct accounting *a = ac->in;
	struct line *l;

	if (!ac->f.pending || ac->line || ac->sent)
		return;
	l = line_of(a, ac->vhost);
	if (!l) {
		queue_drop(ac, err_text(ERR_NOMEM));
		return;
	}
	append(l, ac);
	if (a->queued > a->limits.queued)
		queue_drop(oldest(l), "too many records wait");
	run_line(a, l);
}

void queue_age(struct account *ac, int64_t now)
{
	int64_t since = ac->f.pending & PENDING_STOP ? ac->f.ended : ac->f.counted;

	if (ac->line && now - since > ac->in->limits.age)
		queue_drop(ac, "it waited too long");
}
