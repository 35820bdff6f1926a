/* accounting.c - records of sessions, as lines in the log. */
#include "auth/accounting/accounting.h"

#include "base/log.h"

static struct log_ctx log_of(const struct session *s)
{
	return (struct log_ctx){ .session = s->sid, .user = s->user, .vhost = s->vhost };
}

void accounting_start(const struct session *s, const struct addr *v4, const struct addr *v6)
{
	struct log_ctx log = log_of(s);

	log_debug(&log, "accounting-start", kv_addr("v4", v4), kv_addr("v6", v6));
}

void accounting_count(struct session *s, uint64_t rx, uint64_t tx)
{
	s->rx += rx;
	s->tx += tx;
}

void accounting_interim(const struct session *s, int64_t now)
{
	struct log_ctx log = log_of(s);

	log_debug(&log, "accounting-interim", kv_i64("seconds", now - s->started),
		  kv_u64("rx", s->rx), kv_u64("tx", s->tx));
}

void accounting_stop(const struct session *s, unsigned reason, int64_t now)
{
	struct log_ctx log = log_of(s);

	log_debug(&log, "accounting-stop", kv_u64("reason", reason),
		  kv_i64("seconds", now - s->started), kv_u64("rx", s->rx), kv_u64("tx", s->tx));
}
