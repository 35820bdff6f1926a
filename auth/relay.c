/* relay.c - requests of the KDC proxy: charged, matched with a KDC, handed to a runner. */
#include "auth/relay.h"

#include <string.h>

#include "auth/process.h"

/* ---- configuration -------------------------------------------------------- */

static struct relay *find(const struct relays *r, const char *path, const char *realm)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->item[i].path, path) == 0 &&
		    (!*realm || strcmp(r->item[i].realm, realm) == 0))
			return &r->item[i];
	return NULL;
}

const struct relay *relays_find(const struct relays *r, const char *path, const char *realm)
{
	return find(r, path, realm);
}

static enum err add_server(struct relays *r, struct relay *relay, const char *server)
{
	struct backend_pairs *p = &relay->servers;
	struct backend_pair *item =
		talloc_realloc(r->item, p->item, struct backend_pair, (unsigned)p->n + 1);

	if (!item)
		return ERR_NOMEM;
	item[p->n++] = (struct backend_pair){ "server", server };
	p->item = item;
	return ERR_OK;
}

enum err relays_make(TALLOC_CTX *ctx, const struct host_conf *host, struct relays *out)
{
	struct relays r = { .n = 0 };
	enum err err = ERR_OK;

	r.item = talloc_zero_array(ctx, struct relay, (unsigned)host->kkdcp.n);
	if (!r.item)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < host->kkdcp.n; i++) {
		const struct conf_kkdcp *k = &host->kkdcp.item[i];
		struct relay *relay = find(&r, k->path, k->realm);

		if (!relay) {
			relay = &r.item[r.n++];
			*relay = (struct relay){ .path = k->path, .realm = k->realm };
		}
		err = add_server(&r, relay, k->server);
	}
	if (!err)
		*out = r;
	return err;
}

/* ---- requests ------------------------------------------------------------- */

static void refuse(struct worker *w)
{
	Relayed msg = RELAYED__INIT;

	worker_tell(w, TO_WORKER__MSG_RELAYED, &msg);
}

static void on_answer(void *arg, enum err err, const struct verdict *v)
{
	struct worker *w = arg;
	struct log_ctx log = { .ip = &w->remote.addr };
	Relayed msg = RELAYED__INIT;

	w->relay = NULL;
	msg.ok = !err && v->kind == VERDICT_ACCEPT;
	if (msg.ok)
		msg.message =
			(ProtobufCBinaryData){ v->payload_len, (uint8_t *)(uintptr_t)v->payload };
	else
		log_warn(&log, "kdc-no-answer", kv_str("reason", err ? err_text(err) : v->reason));
	worker_tell(w, TO_WORKER__MSG_RELAYED, &msg);
}

static void submit(struct worker *w, const struct relay *relay, const Relay *msg)
{
	struct runner_call call = {
		.work = WORK_RELAY,
		.backend = &backend_kkdcp,
		.options = &relay->servers,
		.payload = msg->message.data,
		.payload_len = msg->message.len,
	};
	struct log_ctx log = { .vhost = msg->vhost, .ip = &w->remote.addr };
	enum err err = runner_submit(w->auth->runners, w, &call, on_answer, w, &w->relay);

	if (err) {
		log_err(&log, "kdc-not-asked", kv_err(err));
		refuse(w);
	}
}

enum err relay_request(struct worker *w, const Relay *msg)
{
	const struct host *h = hosts_find(w->auth->hosts, msg->vhost);
	const struct relay *relay = h ? relays_find(&h->relays, msg->path, msg->realm) : NULL;
	struct log_ctx log = { .vhost = msg->vhost, .ip = &w->remote.addr };

	if (w->relay)
		return ERR_STATE;
	/* Before it is looked at: what is refused costs as much. */
	worker_charge(w, w->auth->hosts->conf->ban_points_kkdcp);
	if (relay && msg->message.len) {
		submit(w, relay, msg);
		return ERR_OK;
	}
	if (msg->message.len)
		log_info(&log, "kdc-unknown", kv_str("realm", msg->realm));
	refuse(w);
	return ERR_OK;
}
