/* record.c - a session as a journal value: fixed part, then NUL-terminated strings. */
#include <string.h>

#include "auth/store/store.h"

enum { RECORD_VERSION = 2, FLAG_OPENED = 1, FLAG_TLS_AUTH = 2, ROWS_MAX = 255 };

/* The journal never leaves this machine or outlives this version of the program by more than an
 * upgrade, so members are written as they lie in memory; VERSION changes with them. */
struct fixed {
	uint8_t version, flags, rows, family;
	uint8_t ip[16];
	char sid[TICKET_SID];
	int64_t started, expires, deadline;
	uint64_t worker, rx, tx;
};

struct writer {
	uint8_t *out;
	size_t len;
	bool full;
};

/* Appends; the first thing that does not fit spoils the record. */
static void put(struct writer *w, const void *data, size_t len)
{
	if (len > JOURNAL_VALUE - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, data, len);
	w->len += len;
}

static void put_str(struct writer *w, const char *text)
{
	put(w, text, strlen(text) + 1);
}

enum err session_encode(const struct session *s, uint8_t out[JOURNAL_VALUE], size_t *len)
{
	struct writer w = { .out = out };
	struct fixed f;

	if (s->n_rows > ROWS_MAX)
		return ERR_TOO_LONG;
	memset(&f, 0, sizeof f);
	f.version = RECORD_VERSION;
	f.flags = (uint8_t)((s->opened ? FLAG_OPENED : 0) | (s->tls_auth_ok ? FLAG_TLS_AUTH : 0));
	f.rows = (uint8_t)s->n_rows;
	f.family = s->remote.family;
	memcpy(f.ip, s->remote.bytes, sizeof f.ip);
	memcpy(f.sid, s->sid, sizeof f.sid);
	f.started = s->started;
	f.expires = s->expires;
	f.deadline = s->deadline;
	f.worker = s->worker;
	f.rx = s->rx;
	f.tx = s->tx;
	put(&w, &f, sizeof f);
	put_str(&w, s->user);
	put_str(&w, s->group);
	put_str(&w, s->vhost);
	put_str(&w, s->user_agent);
	put_str(&w, s->backend);
	for (size_t i = 0; i < s->n_rows; i++) {
		put_str(&w, s->row[i].option);
		put_str(&w, s->row[i].value);
	}
	*len = w.len;
	return w.full ? ERR_TOO_LONG : ERR_OK;
}

/* Takes the next string; NULL when there is none or no memory for it. */
static const char *get_str(TALLOC_CTX *ctx, const uint8_t **data, size_t *len)
{
	const uint8_t *end = memchr(*data, '\0', *len);
	const char *text = (const char *)*data;

	if (!end)
		return NULL;
	*len -= (size_t)(end + 1 - *data);
	*data = end + 1;
	return talloc_strdup(ctx, text);
}

static bool get_rows(struct session *s, const uint8_t **data, size_t *len)
{
	s->row = talloc_array(s, struct session_row, (unsigned)s->n_rows);
	if (!s->row)
		return false;
	for (size_t i = 0; i < s->n_rows; i++) {
		s->row[i].option = get_str(s, data, len);
		s->row[i].value = get_str(s, data, len);
		if (!s->row[i].option || !s->row[i].value)
			return false;
	}
	return true;
}

static void from_fixed(struct session *s, const struct fixed *f)
{
	s->opened = f->flags & FLAG_OPENED;
	s->tls_auth_ok = f->flags & FLAG_TLS_AUTH;
	s->n_rows = f->rows;
	s->remote.family = f->family;
	memcpy(s->remote.bytes, f->ip, sizeof f->ip);
	memcpy(s->sid, f->sid, sizeof f->sid);
	s->started = f->started;
	s->expires = f->expires;
	s->deadline = f->deadline;
	s->worker = f->worker;
	s->rx = f->rx;
	s->tx = f->tx;
}

enum err session_decode(TALLOC_CTX *ctx, const uint8_t key[TICKET_KEY], const uint8_t *data,
			size_t len, struct session **out)
{
	struct session *s = talloc_zero(ctx, struct session);
	struct fixed f;

	if (!s)
		return ERR_NOMEM;
	if (len < sizeof f)
		goto bad;
	memcpy(&f, data, sizeof f);
	data += sizeof f;
	len -= sizeof f;
	if (f.version != RECORD_VERSION)
		goto bad;
	memcpy(s->key, key, sizeof s->key);
	from_fixed(s, &f);
	s->user = get_str(s, &data, &len);
	s->group = get_str(s, &data, &len);
	s->vhost = get_str(s, &data, &len);
	s->user_agent = get_str(s, &data, &len);
	s->backend = get_str(s, &data, &len);
	if (!s->user || !s->group || !s->vhost || !s->user_agent || !s->backend ||
	    !get_rows(s, &data, &len))
		goto bad;
	*out = s;
	return ERR_OK;
bad:
	talloc_free(s);
	return ERR_SYNTAX;
}
