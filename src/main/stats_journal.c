/* stats_journal.c - one record of the journal for the whole process. */
#include "main/stats_journal.h"

#include "base/log.h"
#include "ipc/journal.pb-c.h"

enum { STATS_KEY = 'T' }; /* first and only byte of the record's key */

void stats_save(struct main_ctx *m)
{
	const struct stats *s = &m->stats;
	const struct stats_period *p = &s->now;
	const uint8_t key[JOURNAL_KEY] = { STATS_KEY };
	JournalMain rec = JOURNAL_MAIN__INIT;
	uint8_t value[JOURNAL_SHORT];

	rec.generation = m->generation;
	rec.last_reset = s->last_reset;
	rec.total_closed = s->total_closed;
	rec.total_auth_failures = s->total_auth_failures;
	rec.min_mtu = s->min_mtu;
	rec.max_mtu = s->max_mtu;
	rec.closed = p->closed;
	rec.timed_out = p->timed_out;
	rec.idle = p->idle;
	rec.errors = p->errors;
	rec.auth_failures = p->auth_failures;
	rec.rx = p->rx;
	rec.tx = p->tx;
	rec.auth_time_sum = p->auth_time_sum;
	rec.auth_time_max = p->auth_time_max;
	rec.auth_count = p->auth_count;
	rec.session_time_sum = p->session_time_sum;
	rec.session_time_max = p->session_time_max;
	/* Numbers only: it always fits. */
	if (journal_put(m->journal, key, value, journal_main__pack(&rec, value)))
		log_err(NULL, "journal-failed", kv_err(ERR_EXHAUSTED));
}

static void take(struct main_ctx *m, const JournalMain *rec)
{
	m->generation = rec->generation;
	m->stats = (struct stats){
		.last_reset = rec->last_reset,
		.total_closed = rec->total_closed,
		.total_auth_failures = rec->total_auth_failures,
		.min_mtu = rec->min_mtu,
		.max_mtu = rec->max_mtu,
		.now = { .closed = rec->closed,
			 .timed_out = rec->timed_out,
			 .idle = rec->idle,
			 .errors = rec->errors,
			 .auth_failures = rec->auth_failures,
			 .rx = rec->rx,
			 .tx = rec->tx,
			 .auth_time_sum = rec->auth_time_sum,
			 .auth_time_max = rec->auth_time_max,
			 .auth_count = rec->auth_count,
			 .session_time_sum = rec->session_time_sum,
			 .session_time_max = rec->session_time_max },
	};
}

bool stats_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		   size_t len)
{
	ProtobufCMessage *msg;

	if (key[0] != STATS_KEY || ipc_unpack(m, &journal_main__descriptor, value, len, &msg))
		return false;
	take(m, (const JournalMain *)(const void *)msg);
	talloc_free(msg);
	return true;
}
