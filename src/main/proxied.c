/* proxied.c - the real addresses of clients behind a proxy.
 *
 * A worker may name its client once, before the first byte of TLS.  Main passes that on to auth
 * itself, so that a worker that is taken over later can charge or impersonate no other address. */
#include "main/proxied.h"

#include "base/clock.h"
#include "ipc/convert.h"
#include "main/ban.h"

static void tell_auth(struct worker *w)
{
	WorkerRemote msg = WORKER_REMOTE__INIT;
	Endpoint remote = ipc_endpoint(&w->remote), local = ipc_endpoint(&w->local);

	msg.worker_id = w->id;
	msg.remote = &remote;
	msg.local = &local;
	main_tell_auth(w->m, TO_AUTH__MSG_WORKER_REMOTE, &msg, -1);
}

void proxied_tell_auth(struct main_ctx *m)
{
	for (struct worker *w = workers_first(m); w; w = w->next)
		if (w->proxied)
			tell_auth(w);
}

/* config.md 15: the connection is charged and the ban tested now that the client is known.  One of
 * the proxy itself, NAMED false, costs nothing: its health checks may do whole handshakes. */
static bool charge(struct worker *w, bool named)
{
	struct main_ctx *m = w->m;
	int64_t now = clock_unix();

	w->charged = named ? m->conf->ban_points_connection : 0;
	ban_charge(m->bans, &w->remote.addr, BAN_CONNECTION, w->charged, now);
	return !ban_is_refused(m->bans, &w->remote.addr, now);
}

enum err proxied_admit(struct worker *w, const Proxied *msg)
{
	struct endpoint remote = ipc_endpoint_read(msg->remote);
	struct endpoint local = ipc_endpoint_read(msg->local);
	Admitted admitted = ADMITTED__INIT;
	bool again = w->proxied, named = !endpoint_equal(&remote, &w->remote);

	/* Twice when main was restarted before its answer was read. */
	if (!w->proxy || !remote.addr.family || (again && !endpoint_equal(&remote, &w->remote)))
		return ERR_PROTO;
	if (w->state != WORKER_LOGIN)
		return ERR_OK;
	w->remote = remote;
	w->local = local;
	w->proxied = true;
	if (!again) {
		worker_keep(w);
		tell_auth(w);
	}
	if (again || charge(w, named))
		worker_tell(w, TO_WORKER__MSG_ADMITTED, &admitted, -1);
	else
		worker_end(w, END_REASON__END_REFUSED, false, WORKER_PATIENCE_MS);
	return ERR_OK;
}
