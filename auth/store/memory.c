/* memory.c - the store in this process's memory, with its journal. */
#include <string.h>

#include "auth/store/pack.h"
#include "auth/store/store.h"
#include "base/log.h"
#include "base/secret.h"

enum { FIRST_BUCKETS = 256 };

/* Both keys are digests of random cookies, so their first bytes are hash enough. */
struct store {
	struct journal *journal;
	struct session **by_key, **by_sid; /* N_BUCKETS chains, a power of two */
	size_t n_buckets, count;
	struct session *first;
};

static size_t bucket_of(const struct store *st, const void *digest)
{
	uint32_t h;

	memcpy(&h, digest, sizeof h);
	/* Base64 text varies in six bits a byte only; mix them down. */
	h = (h ^ h >> 15) * 0x85ebca6bu;
	return (h ^ h >> 13) & (st->n_buckets - 1);
}

enum err store_new(TALLOC_CTX *ctx, struct journal *j, struct store **out)
{
	struct store *st = talloc_zero(ctx, struct store);

	if (!st)
		return ERR_NOMEM;
	st->journal = j;
	st->n_buckets = FIRST_BUCKETS;
	st->by_key = talloc_zero_array(st, struct session *, FIRST_BUCKETS);
	st->by_sid = talloc_zero_array(st, struct session *, FIRST_BUCKETS);
	if (!st->by_key || !st->by_sid) {
		talloc_free(st);
		return ERR_NOMEM;
	}
	*out = st;
	return ERR_OK;
}

static void chain(struct store *st, struct session *s)
{
	struct session **k = &st->by_key[bucket_of(st, s->key)];
	struct session **i = &st->by_sid[bucket_of(st, s->sid)];

	s->by_key = *k;
	*k = s;
	s->by_sid = *i;
	*i = s;
}

/* Twice the buckets once chains get long; without memory they just stay long. */
static void grow(struct store *st)
{
	size_t n = st->n_buckets * 2;
	struct session **key = talloc_zero_array(st, struct session *, (unsigned)n);
	struct session **sid = talloc_zero_array(st, struct session *, (unsigned)n);

	if (!key || !sid) {
		talloc_free(key);
		talloc_free(sid);
		return;
	}
	talloc_free(st->by_key);
	talloc_free(st->by_sid);
	st->by_key = key;
	st->by_sid = sid;
	st->n_buckets = n;
	for (struct session *s = st->first; s; s = s->next)
		chain(st, s);
}

/* Puts S, complete with its keys, where it is found. */
static void link_in(struct store *st, struct session *s)
{
	s->next = st->first;
	if (s->next)
		s->next->prev = &s->next;
	s->prev = &st->first;
	st->first = s;
	chain(st, s);
	if (++st->count > st->n_buckets)
		grow(st);
}

void store_save(struct store *st, const struct session *s)
{
	struct log_ctx log = { .user = s->user };
	struct buf value;
	enum err err;

	buf_init(&value, st, JOURNAL_VALUE);
	err = session_encode(s, &value);
	if (!err)
		err = journal_put(st->journal, s->key, value.data, value.len);
	if (err)
		log_err(&log, "session-not-journalled", kv_err(err));
	talloc_free(value.data);
}

static const char *copy(TALLOC_CTX *ctx, const char *text)
{
	return talloc_strdup(ctx, text ? text : "");
}

static bool copy_rows(struct session *s, const struct session *from)
{
	s->row = talloc_array(s, struct session_row, (unsigned)from->n_rows);
	if (!s->row)
		return false;
	for (size_t i = 0; i < from->n_rows; i++) {
		s->row[i].option = copy(s, from->row[i].option);
		s->row[i].value = copy(s, from->row[i].value);
		if (!s->row[i].option || !s->row[i].value)
			return false;
	}
	return true;
}

enum err store_add(struct store *st, const uint8_t cookie[TICKET_COOKIE],
		   const struct session *init, struct session **out)
{
	struct session *s = talloc(st, struct session);

	if (!s)
		return ERR_NOMEM;
	*s = *init;
	ticket_key(cookie, s->key);
	ticket_sid(cookie, s->sid);
	s->user = copy(s, init->user);
	s->group = copy(s, init->group);
	s->vhost = copy(s, init->vhost);
	s->user_agent = copy(s, init->user_agent);
	s->backend = copy(s, init->backend);
	s->cert_user = copy(s, init->cert_user);
	if (!s->user || !s->group || !s->vhost || !s->user_agent || !s->backend || !s->cert_user ||
	    !copy_rows(s, init)) {
		talloc_free(s);
		return ERR_NOMEM;
	}
	link_in(st, s);
	store_save(st, s);
	*out = s;
	return ERR_OK;
}

struct session *store_by_cookie(const struct store *st, const uint8_t *cookie, size_t len)
{
	uint8_t key[TICKET_KEY];
	struct session *s;

	if (len != TICKET_COOKIE)
		return NULL;
	ticket_key(cookie, key);
	for (s = st->by_key[bucket_of(st, key)]; s; s = s->by_key)
		if (secret_equal(s->key, key, sizeof key))
			break;
	return s;
}

struct session *store_by_sid(const struct store *st, const char *sid)
{
	struct session *s;

	if (strlen(sid) != TICKET_SID)
		return NULL;
	for (s = st->by_sid[bucket_of(st, sid)]; s; s = s->by_sid)
		if (memcmp(s->sid, sid, TICKET_SID) == 0)
			break;
	return s;
}

void store_forget(struct store *st, struct session *s)
{
	struct session **p;

	/* First: a crash in the middle of this must not bring a dead cookie back. */
	journal_del(st->journal, s->key);
	for (p = &st->by_key[bucket_of(st, s->key)]; *p != s; p = &(*p)->by_key)
		;
	*p = s->by_key;
	for (p = &st->by_sid[bucket_of(st, s->sid)]; *p != s; p = &(*p)->by_sid)
		;
	*p = s->by_sid;
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	st->count--;
	talloc_free(s);
}

struct session *store_first(const struct store *st)
{
	return st->first;
}

size_t store_count(const struct store *st)
{
	return st->count;
}

static void restore_one(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct store *st = arg;
	struct session *s;
	enum err err;

	if (len && *(const uint8_t *)value == RECORD_ACCOUNT)
		return;
	err = session_decode(st, key, value, len, &s);
	if (!err) {
		link_in(st, s);
		return;
	}
	log_err(NULL, "session-not-restored", kv_err(err));
	journal_del(st->journal, key);
}

void store_restore(struct store *st)
{
	if (journal_each(st->journal, restore_one, st))
		log_err(NULL, "sessions-not-restored", kv_err(ERR_NOMEM));
}
