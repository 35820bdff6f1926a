/* lists.c - what occtl asks about sessions, and its terminate. */
#include <string.h>

#include "auth/open.h"
#include "ipc/convert.h"

enum {
	LIST_PART = 400, /* sessions in one message of a list */
};

/* ---- terminate ------------------------------------------------------------ */

struct matches {
	TALLOC_CTX *ctx;
	char **sid;
	size_t n;
	enum err err;
};

static void add_match(struct matches *m, const struct session *s)
{
	char **sid = talloc_realloc(m->ctx, m->sid, char *, (unsigned)m->n + 1);

	if (sid)
		sid[m->n] = talloc_strdup(sid, s->sid);
	if (!sid || !sid[m->n]) {
		m->err = ERR_NOMEM;
		return;
	}
	m->sid = sid;
	m->n++;
}

/* An empty question means nobody, not everybody. */
static bool is_meant(const struct session *s, const Invalidate *msg)
{
	if (*msg->user)
		return strcmp(s->user, msg->user) == 0;
	return *msg->sid && str_starts(s->sid, msg->sid);
}

void session_invalidate(struct auth *a, const Invalidate *msg)
{
	InvalidateResult result = INVALIDATE_RESULT__INIT;
	struct matches m = { .ctx = talloc_new(NULL) };

	for (struct session *s = store_first(a->store); s; s = s->next)
		if (is_meant(s, msg))
			add_match(&m, s);
	result.request = msg->request;
	if (!*msg->user && m.n > 1) {
		result.ambiguous = m.sid;
		result.n_ambiguous = m.n;
	} else {
		result.sid = m.sid;
		result.n_sid = m.n;
	}
	/* The answer first: main ends the tunnels with the reason it has for them. */
	(void)main_tell(a, TO_MAIN__MSG_INVALIDATE_RESULT, &result);
	for (size_t i = 0; i < result.n_sid; i++) {
		struct session *s = store_by_sid(a->store, result.sid[i]);

		if (s)
			session_expire(a, s, END_REASON__END_ADMIN);
	}
	talloc_free(m.ctx);
}

/* ---- lists ---------------------------------------------------------------- */

/* A list under way, sent in parts because a message has a limit. */
struct list {
	struct auth *a;
	TALLOC_CTX *ctx; /* of the part */
	SessionList msg;
	SessionRow *row[LIST_PART];
};

static void send_part(struct list *l, bool more)
{
	l->msg.session = l->row;
	l->msg.more = more;
	(void)main_tell(l->a, TO_MAIN__MSG_SESSION_LIST, &l->msg);
	l->msg.n_session = 0;
	talloc_free_children(l->ctx);
}

/* A new row of the list; NULL without memory. */
static SessionRow *add_row(struct list *l, const struct addr *remote)
{
	SessionRow *row;
	Endpoint *ep;

	if (l->msg.n_session == LIST_PART)
		send_part(l, true);
	row = talloc(l->ctx, SessionRow);
	ep = talloc(l->ctx, Endpoint);
	if (!row || !ep)
		return NULL;
	session_row__init(row);
	row->session = talloc(l->ctx, Session);
	if (!row->session)
		return NULL;
	session__init(row->session);
	endpoint__init(ep);
	ep->addr = ipc_addr(remote);
	row->session->remote = ep;
	l->row[l->msg.n_session++] = row;
	return row;
}

/* Strings are lent: the part is packed before the session can change. */
static void list_session(struct list *l, const struct session *s)
{
	SessionRow *row = add_row(l, &s->remote);

	if (!row)
		return;
	row->session->sid = (char *)(uintptr_t)s->sid;
	row->session->user = (char *)(uintptr_t)s->user;
	row->session->group = (char *)(uintptr_t)s->group;
	row->session->vhost = (char *)(uintptr_t)s->vhost;
	row->session->user_agent = (char *)(uintptr_t)s->user_agent;
	row->session->started = s->started;
	row->created = s->started;
	row->expires = s->expires;
	row->state = (char *)(uintptr_t) "authenticated";
	row->is_open = s->opened;
	row->tls_auth_ok = s->tls_auth_ok;
	row->in_use = s->worker != 0;
}

static void list_login(void *arg, const struct login_info *info)
{
	SessionRow *row = add_row(arg, info->remote);

	if (!row)
		return;
	row->session->sid = (char *)(uintptr_t)info->sid;
	row->session->user = (char *)(uintptr_t)info->user;
	row->session->vhost = (char *)(uintptr_t)info->vhost;
	row->session->user_agent = (char *)(uintptr_t)info->user_agent;
	row->session->started = info->created;
	row->created = info->created;
	row->expires = info->expires;
	row->state = (char *)(uintptr_t)info->state;
	row->tls_auth_ok = info->tls_auth_ok;
}

void session_list(struct auth *a, const ListSessions *msg)
{
	struct list *l = talloc_zero(NULL, struct list);

	if (!l)
		return;
	l->a = a;
	l->ctx = talloc_new(l);
	session_list__init(&l->msg);
	l->msg.request = msg->request;
	for (const struct session *s = store_first(a->store); s; s = s->next)
		list_session(l, s);
	logins_each(a->logins, list_login, l);
	send_part(l, false);
	talloc_free(l);
}
