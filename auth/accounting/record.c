/* record.c - an account as a journal value. */
#include <string.h>

#include "auth/accounting/account.h"
#include "auth/store/pack.h"

/* A byte that is neither false nor true is no bool, and must not be read as one. */
static bool is_bool(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, sizeof byte);
	return byte <= 1;
}

static bool is_addr(const struct addr *a)
{
	return a->family == 0 || a->family == AF_INET || a->family == AF_INET6;
}

static bool is_sane(const struct facts *f)
{
	return f->pending <= (PENDING_INTERIM | PENDING_STOP) && is_bool(&f->asked) &&
	       is_bool(&f->started) && is_bool(&f->up) && is_bool(&f->over) &&
	       is_bool(&f->start_only) && is_addr(&f->remote.addr) && is_addr(&f->local.addr) &&
	       is_addr(&f->v4) && is_addr(&f->v6) && strnlen(f->sid, sizeof f->sid) == TICKET_SID &&
	       f->begun >= 0 && f->active >= 0 && f->counted >= 0 && f->ended >= 0;
}

enum err account_encode(const struct account *ac, struct buf *out)
{
	const uint8_t kind = RECORD_ACCOUNT;

	buf_put(out, &kind, sizeof kind);
	buf_put(out, &ac->f, sizeof ac->f);
	pack_str(out, ac->user);
	pack_str(out, ac->group);
	pack_str(out, ac->vhost);
	pack_str(out, ac->user_agent);
	return out->failed ? ERR_TOO_LONG : ERR_OK;
}

enum err account_decode(TALLOC_CTX *ctx, const uint8_t *data, size_t len, struct account **out)
{
	struct account *ac = talloc_zero(ctx, struct account);
	struct unpack in = { data, len };
	uint8_t kind = 0;

	if (!ac)
		return ERR_NOMEM;
	if (!unpack_bytes(&in, &kind, sizeof kind) || kind != RECORD_ACCOUNT ||
	    !unpack_bytes(&in, &ac->f, sizeof ac->f) || !is_sane(&ac->f))
		goto bad;
	ac->user = unpack_str(ac, &in);
	ac->group = unpack_str(ac, &in);
	ac->vhost = unpack_str(ac, &in);
	ac->user_agent = unpack_str(ac, &in);
	if (!ac->user || !ac->group || !ac->vhost || !ac->user_agent)
		goto bad;
	*out = ac;
	return ERR_OK;
bad:
	talloc_free(ac);
	return ERR_SYNTAX;
}
