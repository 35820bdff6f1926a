/* resume.c - keys of TLS session tickets for workers. */
#include "auth/resume.h"

#include <string.h>

#include "auth/resume_keys.h"
#include "base/clock.h"
#include "base/secret.h"
#include "conf/auth_rules.h"

/* Protocol.md 2.7: as long as a cookie can be used.  None where certificates are asked for. */
static uint32_t lifetime(const struct host_conf *host)
{
	if (conf_cert_policy(host) != CONF_CERT_NONE)
		return 0;
	return host->cookie_timeout < RESUME_LIFETIME ? host->cookie_timeout : RESUME_LIFETIME;
}

void resume_start(struct auth *a)
{
	uint32_t longest = 0;

	TALLOC_FREE(a->tickets);
	for (size_t i = 0; i < a->hosts->n; i++)
		if (lifetime(a->hosts->item[i].conf) > longest)
			longest = lifetime(a->hosts->item[i].conf);
	if (longest && resume_keys_new(a, longest, clock_ms(), &a->tickets))
		a->tickets = NULL;
}

void resume_tick(struct auth *a)
{
	if (a->tickets)
		resume_keys_rotate(a->tickets, clock_ms());
}

/* The host that W may have a key for, and that key's lifetime.  A worker of an earlier
 * configuration may not, nor one that waits for the name of its client. */
static const struct host *host_of(const struct worker *w, const char *vhost, uint64_t generation)
{
	struct auth *a = w->auth;
	const struct host *h;

	if (!a->tickets || generation != a->hosts->generation || !w->remote_known)
		return NULL;
	h = hosts_find(a->hosts, vhost);
	if (!h || !lifetime(h->conf))
		return NULL;
	resume_tick(a);
	return h;
}

/* A message for one key, with room for it. */
static TicketKey *key_new(TALLOC_CTX *ctx, const struct host *h)
{
	TicketKey *msg = talloc(ctx, TicketKey);

	if (!msg)
		return NULL;
	ticket_key__init(msg);
	msg->key.data = talloc_zero_size(msg, RESUME_KEY);
	if (!msg->key.data) {
		talloc_free(msg);
		return NULL;
	}
	secret_mark(msg->key.data);
	msg->lifetime = lifetime(h->conf);
	return msg;
}

/* The key for new tickets of clients that see chain number CHAIN. */
static bool issue(const struct worker *w, const struct host *h, uint32_t chain, TicketKey *out)
{
	const struct resume_scope scope = { h->conf->name, chain, w->remote.addr };

	if (resume_key(w->auth->tickets, &scope, out->key.data))
		return false;
	out->key.len = RESUME_KEY;
	out->chain = chain;
	return true;
}

TicketKey *resume_issue(TALLOC_CTX *ctx, const struct worker *w, const Sign *msg)
{
	const struct host *h = host_of(w, msg->ticket_vhost, msg->generation);
	TicketKey *out = h ? key_new(ctx, h) : NULL;

	if (out && !issue(w, h, msg->key, out))
		TALLOC_FREE(out);
	return out;
}

/* Which of the chains of H the client saw shows in the key that the ticket has. */
static bool find(const struct worker *w, const struct host *h, const uint8_t *name, TicketKey *out)
{
	struct resume_scope scope = { .vhost = h->conf->name, .client = w->remote.addr };
	int64_t now = clock_unix();

	for (; scope.chain < keys_count(h->keys); scope.chain++) {
		if (resume_key_find(w->auth->tickets, &scope, name, out->lifetime, now,
				    out->key.data))
			continue;
		out->key.len = RESUME_KEY;
		out->chain = scope.chain;
		return true;
	}
	return false;
}

/* A question for the key of a ticket that came before main has named its client. */
struct resume_wait {
	char *vhost;
	uint64_t generation;
	uint8_t name[RESUME_NAME];
};

static enum err wait_for_client(struct worker *w, const TicketFind *msg)
{
	struct resume_wait *q = w->find ? NULL : talloc_zero(w, struct resume_wait);

	if (!q)
		return w->find ? ERR_STATE : ERR_NOMEM;
	q->vhost = talloc_strdup(q, msg->vhost);
	q->generation = msg->generation;
	memcpy(q->name, msg->name.data, sizeof q->name);
	if (!q->vhost) {
		talloc_free(q);
		return ERR_NOMEM;
	}
	w->find = q;
	return ERR_OK;
}

static void answer(struct worker *w, const char *vhost, uint64_t generation, const uint8_t *name)
{
	const struct host *h = host_of(w, vhost, generation);
	TicketKey none = TICKET_KEY__INIT, *key = h ? key_new(NULL, h) : NULL;

	/* GnuTLS can take no key later than now.  A host has one chain, as a rule. */
	if (key && (find(w, h, name, key) || issue(w, h, 0, key)))
		worker_tell(w, TO_WORKER__MSG_TICKET_KEY, key);
	else
		worker_tell(w, TO_WORKER__MSG_TICKET_KEY, &none);
	talloc_free(key);
}

enum err resume_find(struct worker *w, const TicketFind *msg)
{
	if (msg->name.len != RESUME_NAME)
		return ERR_PROTO;
	if (!w->remote_known)
		return wait_for_client(w, msg);
	answer(w, msg->vhost, msg->generation, msg->name.data);
	return ERR_OK;
}

void resume_client_known(struct worker *w)
{
	struct resume_wait *q = w->find;

	w->find = NULL;
	if (!q)
		return;
	/* Telling may end the worker. */
	(void)talloc_steal(NULL, q);
	answer(w, q->vhost, q->generation, q->name);
	talloc_free(q);
}
