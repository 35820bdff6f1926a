/* accounting.c - the life of accounts. */
#include "auth/accounting/accounting.h"

#include <stdio.h>
#include <string.h>

#include "auth/accounting/account.h"
#include "auth/store/pack.h"
#include "base/str.h"

enum { LAST_NUMBERS = 10 }; /* seconds that main may take to report the end of a tunnel */

struct log_ctx account_log(const struct account *ac, char sid_short[TICKET_SHORT + 1])
{
	str_copy(sid_short, TICKET_SHORT + 1, ac->f.sid);
	return (struct log_ctx){ sid_short, ac->user, ac->vhost, &ac->f.remote.addr };
}

static int64_t now_of(const struct account *ac)
{
	return ac->in->ops->now(ac->in->arg);
}

/* ---- the table and its copy in the journal -------------------------------- */

/* The session id is a digest of something random: its characters are hash enough. */
static struct account **bucket(const struct accounting *a, const char *sid)
{
	uint32_t h;

	memcpy(&h, sid, sizeof h);
	h = (h ^ h >> 15) * 0x85ebca6bu;
	return (struct account **)&a->by_sid[(h ^ h >> 13) % ACCOUNT_BUCKETS];
}

struct account *account_find(const struct accounting *a, const char *sid)
{
	struct account *ac;

	if (strlen(sid) != TICKET_SID)
		return NULL;
	for (ac = *bucket(a, sid); ac && strcmp(ac->f.sid, sid) != 0; ac = ac->by_sid)
		;
	return ac;
}

static void link_in(struct accounting *a, struct account *ac)
{
	struct account **b = bucket(a, ac->f.sid);

	ac->in = a;
	ac->by_sid = *b;
	*b = ac;
	ac->next = a->first;
	ac->prev = &a->first;
	if (ac->next)
		ac->next->prev = &ac->next;
	a->first = ac;
}

/* Sessions have random bytes for keys, so these four begin none of them. */
static void journal_key(const struct account *ac, uint8_t key[JOURNAL_KEY])
{
	_Static_assert(JOURNAL_KEY == 4 + TICKET_SID, "the key is a mark and the session id");
	memcpy(key, "acct", 4);
	memcpy(key + 4, ac->f.sid, TICKET_SID);
}

void account_save(const struct account *ac)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);
	uint8_t key[JOURNAL_KEY];
	struct buf value;
	enum err err;

	buf_init(&value, ac->in, JOURNAL_VALUE);
	err = account_encode(ac, &value);
	journal_key(ac, key);
	if (!err)
		err = journal_put(ac->in->journal, key, value.data, value.len);
	if (err)
		log_err(&log, "account-not-journalled", kv_err(err));
	talloc_free(value.data);
}

void account_free(struct account *ac)
{
	struct account **p;
	uint8_t key[JOURNAL_KEY];

	journal_key(ac, key);
	journal_del(ac->in->journal, key);
	queue_remove(ac);
	ac->in->under_way -= (ac->start ? 1u : 0u) + (ac->sent ? 1u : 0u);
	if (ac->in->cursor == ac)
		ac->in->cursor = ac->next;
	for (p = bucket(ac->in, ac->f.sid); *p != ac; p = &(*p)->by_sid)
		;
	*p = ac->by_sid;
	*ac->prev = ac->next;
	if (ac->next)
		ac->next->prev = ac->prev;
	talloc_free(ac);
}

enum err accounting_new(TALLOC_CTX *ctx, struct journal *j, const struct acct_ops *ops, void *arg,
			const struct acct_limits *limits, struct accounting **out)
{
	struct accounting *a = talloc_zero(ctx, struct accounting);

	if (!a)
		return ERR_NOMEM;
	a->journal = j;
	a->ops = ops;
	a->arg = arg;
	a->limits = *limits;
	*out = a;
	return ERR_OK;
}

static void restore_one(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct accounting *a = arg;
	struct account *ac;
	enum err err;

	if (!len || *(const uint8_t *)value != RECORD_ACCOUNT)
		return;
	err = account_decode(a, value, len, &ac);
	if (err) {
		log_err(NULL, "account-not-restored", kv_err(err));
		journal_del(a->journal, key);
		return;
	}
	link_in(a, ac);
	ac->due = (ac->f.counted ? ac->f.counted : a->ops->now(a->arg)) + ac->f.interval;
	if (ac->f.over && !ac->f.pending)
		ac->patience = ac->f.ended + LAST_NUMBERS;
}

static void each(struct accounting *a, void (*fn)(void *arg, struct account *ac), void *arg)
{
	a->cursor = a->first;
	while (a->cursor) {
		struct account *ac = a->cursor;

		a->cursor = ac->next;
		fn(arg, ac);
	}
}

static void add_restored(void *arg, struct account *ac)
{
	(void)arg;
	queue_add(ac);
}

void accounting_restore(struct accounting *a)
{
	if (journal_each(a->journal, restore_one, a))
		log_err(NULL, "accounts-not-restored", kv_err(ERR_NOMEM));
	each(a, add_restored, NULL);
}

/* ---- the beginning -------------------------------------------------------- */

static bool copy_texts(struct account *ac, const struct acct_subject *s)
{
	ac->user = talloc_strdup(ac, s->user);
	ac->group = talloc_strdup(ac, s->group);
	ac->vhost = talloc_strdup(ac, s->vhost);
	ac->user_agent = talloc_strdup(ac, s->user_agent);
	return ac->user && ac->group && ac->vhost && ac->user_agent;
}

enum err account_begin(struct accounting *a, const struct acct_subject *s, struct account **out)
{
	struct account *ac = account_find(a, s->sid);

	if (!ac) {
		ac = talloc_zero(a, struct account);
		if (!ac || !copy_texts(ac, s)) {
			talloc_free(ac);
			return ERR_NOMEM;
		}
		str_copy(ac->f.sid, sizeof ac->f.sid, s->sid);
		ac->f.begun = s->begun;
		ac->f.cause = ACCT_LOST_SERVICE;
		link_in(a, ac);
	}
	ac->f.remote = s->remote;
	ac->f.local = s->local;
	ac->f.interval = s->interval;
	ac->f.start_only = s->start_only;
	account_save(ac);
	*out = ac;
	return ERR_OK;
}

bool account_wants_start(const struct account *ac)
{
	return !ac->f.started || ac->f.start_only;
}

static void finish(struct account *ac);

static void log_start(const struct account *ac, enum acct_outcome outcome, const char *reason)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);

	if (outcome == ACCT_TAKEN)
		log_info(&log, "accounting-start", kv_str("sid", ac->f.sid),
			 kv_addr("v4", &ac->f.v4), kv_addr("v6", &ac->f.v6));
	else
		log_notice(&log, "accounting-start-failed", kv_str("sid", ac->f.sid),
			   kv_str("reason", reason),
			   kv_str("answer", outcome == ACCT_REFUSED ? "no" : "none"));
}

static void on_started(void *arg, enum acct_outcome outcome, const char *reason)
{
	struct account *ac = arg;
	struct accounting *a = ac->in;
	uint64_t worker = ac->worker;

	TALLOC_FREE(ac->start);
	a->under_way--;
	ac->worker = 0;
	ac->f.asked = false;
	ac->f.started = outcome == ACCT_TAKEN;
	log_start(ac, outcome, reason);
	account_save(ac);
	if (worker)
		a->ops->started(a->arg, ac->f.sid, worker, ac->f.started);
	/* Nobody was told of what did not start, so nobody is told of its end. */
	if (!ac->f.started)
		account_free(ac);
	else if (ac->f.over)
		finish(ac);
	if (accounting_is_idle(a))
		a->ops->idle(a->arg);
}

void account_start(struct account *ac, uint64_t worker, const struct addr *v4,
		   const struct addr *v6)
{
	struct accounting *a = ac->in;
	struct acct_record rec;
	enum err err;

	if (!account_wants_start(ac)) {
		a->ops->started(a->arg, ac->f.sid, worker, true);
		return;
	}
	ac->worker = worker;
	if (ac->start)
		return; /* the client came back before the answer */
	ac->f.v4 = *v4;
	ac->f.v6 = *v6;
	/* Before it is sent: if this process dies now, nobody will know whether it was taken. */
	ac->f.asked = true;
	account_save(ac);
	rec = account_record(ac, ACCT_START);
	ac->start = talloc_new(ac);
	a->under_way++;
	err = ac->start ? a->ops->send(a->arg, ac->start, &rec, on_started, ac) : ERR_NOMEM;
	if (err)
		on_started(ac, ACCT_FAILED, err_text(err));
}

/* ---- tunnels -------------------------------------------------------------- */

void account_opened(struct account *ac, const struct addr *v4, const struct addr *v6)
{
	if (ac->f.over)
		return;
	if (!ac->f.up)
		ac->due = now_of(ac) + ac->f.interval;
	ac->f.up = true;
	ac->f.v4 = *v4;
	ac->f.v6 = *v6;
	account_save(ac);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Sums never go back: a main that was killed may have lost the end of one. */
static bool take(struct account *ac, const struct acct_traffic *total)
{
	struct acct_traffic *t = &ac->f.total, was = *t;

	if (total) {
		t->rx_bytes = larger(t->rx_bytes, total->rx_bytes);
		t->rx_packets = larger(t->rx_packets, total->rx_packets);
		t->tx_bytes = larger(t->tx_bytes, total->tx_bytes);
		t->tx_packets = larger(t->tx_packets, total->tx_packets);
	}
	ac->f.counted = now_of(ac);
	return memcmp(t, &was, sizeof was) != 0;
}

static void add_interim(struct account *ac)
{
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);

	if (!ac->f.started || ac->f.start_only)
		return;
	log_debug(&log, "accounting-interim", kv_str("sid", ac->f.sid),
		  kv_i64("seconds", ac->f.counted - ac->f.begun),
		  kv_u64("rx", ac->f.total.rx_bytes), kv_u64("tx", ac->f.total.tx_bytes));
	ac->f.pending |= PENDING_INTERIM;
	ac->again = ac->sent && ac->sent_kind == PENDING_INTERIM;
}

void account_count(struct account *ac, const struct acct_traffic *total)
{
	if (!ac->f.up || ac->f.over)
		return;
	(void)take(ac, total);
	ac->due = ac->f.counted + ac->f.interval;
	add_interim(ac);
	account_save(ac);
	queue_add(ac);
}

void account_closed(struct account *ac, enum acct_cause cause, const struct acct_traffic *total,
		    bool goes_on)
{
	bool was_up = ac->f.up, more = take(ac, total);

	ac->f.up = false;
	if (was_up)
		ac->f.active = ac->f.counted;
	if (ac->f.over) {
		if (ac->patience)
			finish(ac);
		return;
	}
	ac->f.cause = cause;
	/* After a restart of ours main repeats what it may have said before. */
	if (goes_on && (was_up || more))
		add_interim(ac);
	account_save(ac);
	queue_add(ac);
}

/* ---- the end -------------------------------------------------------------- */

static void log_stop(const struct account *ac)
{
	const struct facts *f = &ac->f;
	char sid_short[TICKET_SHORT + 1];
	struct log_ctx log = account_log(ac, sid_short);

	log_info(&log, "accounting-stop", kv_str("sid", f->sid), kv_u64("cause", f->cause),
		 kv_i64("seconds", f->active > f->begun ? f->active - f->begun : 0),
		 kv_u64("rx", f->total.rx_bytes), kv_u64("tx", f->total.tx_bytes),
		 kv_u64("rx-packets", f->total.rx_packets),
		 kv_u64("tx-packets", f->total.tx_packets));
}

/* The last numbers are known: the Stop is due. */
static void finish(struct account *ac)
{
	ac->patience = 0;
	if (ac->f.up)
		ac->f.active = now_of(ac);
	ac->f.up = false;
	log_stop(ac);
	if (ac->f.start_only) {
		account_free(ac);
		return;
	}
	/* The Stop says all that an Interim would, and more. */
	ac->f.pending = PENDING_STOP;
	account_save(ac);
	queue_add(ac);
}

void account_over(struct account *ac, enum acct_cause cause)
{
	if (ac->f.over)
		return;
	if (!ac->f.started && !ac->f.asked) {
		account_free(ac);
		return;
	}
	ac->f.over = true;
	ac->f.ended = now_of(ac);
	if (cause)
		ac->f.cause = cause;
	if (ac->start) { /* its answer decides */
		account_save(ac);
	} else if (ac->f.up && !ac->in->stopping) {
		ac->patience = ac->f.ended + LAST_NUMBERS;
		account_save(ac);
	} else {
		finish(ac);
	}
}

void accounting_each(struct accounting *a, void (*fn)(void *arg, struct account *ac), void *arg)
{
	each(a, fn, arg);
}

bool account_is_over(const struct account *ac)
{
	return ac->f.over;
}

const char *account_sid(const struct account *ac)
{
	return ac->f.sid;
}

/* ---- time ----------------------------------------------------------------- */

static void tick(void *arg, struct account *ac)
{
	int64_t now = *(const int64_t *)arg;

	if (ac->patience && now >= ac->patience) {
		finish(ac);
	} else if (ac->f.up && !ac->f.over && ac->f.interval && ac->f.started && now >= ac->due) {
		/* Asked again if main is away or slow; its answer sets the next time. */
		ac->due = now + 1;
		ac->in->ops->ask(ac->in->arg, ac->f.sid);
	} else {
		queue_age(ac, now);
	}
}

void accounting_tick(struct accounting *a)
{
	int64_t now = a->ops->now(a->arg);

	each(a, tick, &now);
	queue_run(a);
}

static void end_one(void *arg, struct account *ac)
{
	(void)arg;
	if (!ac->f.over)
		account_over(ac, ACCT_ADMIN_RESET);
	else if (ac->patience)
		finish(ac);
}

void accounting_stop(struct accounting *a)
{
	a->stopping = true;
	queue_hurry(a);
	each(a, end_one, NULL);
	queue_run(a);
}

static void give_up_one(void *arg, struct account *ac)
{
	(void)arg;
	if (ac->f.pending)
		queue_drop(ac, "the service stops");
}

void accounting_give_up(struct accounting *a)
{
	each(a, give_up_one, NULL);
}

bool accounting_is_idle(const struct accounting *a)
{
	return !a->queued && !a->under_way;
}
