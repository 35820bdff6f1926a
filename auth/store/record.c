/* record.c - a session as a journal value: fixed part, then NUL-terminated strings. */
#include <string.h>

#include "auth/store/pack.h"
#include "auth/store/store.h"

enum { FLAG_OPENED = 1, FLAG_TLS_AUTH = 2 };

/* The journal never leaves this machine or outlives this version of the program by more than an
 * upgrade, so members are written as they lie in memory; KIND changes with them. */
struct fixed {
	uint8_t kind, flags, family, unused;
	uint8_t ip[16];
	char sid[TICKET_SID];
	int64_t started, expires, deadline;
	uint64_t worker, rows;
};

enum err session_encode(const struct session *s, struct buf *out)
{
	struct fixed f;

	memset(&f, 0, sizeof f);
	f.kind = RECORD_SESSION;
	f.flags = (uint8_t)((s->opened ? FLAG_OPENED : 0) | (s->tls_auth_ok ? FLAG_TLS_AUTH : 0));
	f.rows = s->n_rows;
	f.family = s->remote.family;
	memcpy(f.ip, s->remote.bytes, sizeof f.ip);
	memcpy(f.sid, s->sid, sizeof f.sid);
	f.started = s->started;
	f.expires = s->expires;
	f.deadline = s->deadline;
	f.worker = s->worker;
	buf_put(out, &f, sizeof f);
	pack_str(out, s->user);
	pack_str(out, s->group);
	pack_str(out, s->vhost);
	pack_str(out, s->user_agent);
	pack_str(out, s->backend);
	pack_str(out, s->cert_user);
	for (size_t i = 0; i < s->n_rows; i++) {
		pack_str(out, s->row[i].option);
		pack_str(out, s->row[i].value);
	}
	return out->failed ? ERR_TOO_LONG : ERR_OK;
}

static bool get_rows(struct session *s, struct unpack *in)
{
	/* Each has two NUL bytes at least: a damaged count asks for no more memory than the record.
	 */
	if (s->n_rows > in->len / 2)
		return false;
	s->row = talloc_array(s, struct session_row, (unsigned)s->n_rows);
	if (!s->row)
		return false;
	for (size_t i = 0; i < s->n_rows; i++) {
		s->row[i].option = unpack_str(s, in);
		s->row[i].value = unpack_str(s, in);
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
}

enum err session_decode(TALLOC_CTX *ctx, const uint8_t key[TICKET_KEY], const uint8_t *data,
			size_t len, struct session **out)
{
	struct session *s = talloc_zero(ctx, struct session);
	struct unpack in = { data, len };
	struct fixed f;

	if (!s)
		return ERR_NOMEM;
	if (!unpack_bytes(&in, &f, sizeof f) || f.kind != RECORD_SESSION)
		goto bad;
	memcpy(s->key, key, sizeof s->key);
	from_fixed(s, &f);
	s->user = unpack_str(s, &in);
	s->group = unpack_str(s, &in);
	s->vhost = unpack_str(s, &in);
	s->user_agent = unpack_str(s, &in);
	s->backend = unpack_str(s, &in);
	s->cert_user = unpack_str(s, &in);
	if (!s->user || !s->group || !s->vhost || !s->user_agent || !s->backend || !s->cert_user ||
	    !get_rows(s, &in))
		goto bad;
	*out = s;
	return ERR_OK;
bad:
	talloc_free(s);
	return ERR_SYNTAX;
}
