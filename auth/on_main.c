/* on_main.c - messages of main: configuration, workers, what became of tunnels. */
#include <string.h>
#include <unistd.h>

#include "auth/account.h"
#include "auth/open.h"
#include "auth/process.h"
#include "auth/resume.h"
#include "base/clock.h"
#include "base/trim.h"
#include "conf/pack.h"
#include "ipc/convert.h"
#include "ipc/route.h"

/* ---- configuration -------------------------------------------------------- */

static enum err fill_host(TALLOC_CTX *ctx, const struct host *host, HostCerts **out)
{
	enum err err = keys_chains(ctx, host->keys, host->conf->name, out);

	if (!err)
		err = trust_fill(ctx, &host->trust, *out);
	if (err)
		return err;
	(*out)->profile = trust_span_msg(ctx, &host->profile);
	return (*out)->profile ? ERR_OK : ERR_NOMEM;
}

static enum err fill_hosts(TALLOC_CTX *ctx, const struct hosts *h, ConfResult *result)
{
	enum err err = ERR_OK;

	result->host = talloc_array(ctx, HostCerts *, (unsigned)h->n);
	if (!result->host)
		return ERR_NOMEM;
	for (; !err && result->n_host < h->n; result->n_host++)
		err = fill_host(ctx, &h->item[result->n_host], &result->host[result->n_host]);
	return err;
}

/* Whether the host's keys are not those of one before it. */
static bool has_own_keys(const struct hosts *h, size_t i)
{
	size_t k = 0;

	while (h->item[k].keys != h->item[i].keys)
		k++;
	return k == i;
}

static enum err describe(TALLOC_CTX *ctx, const struct hosts *h, ServerKeys **out)
{
	ServerKeys *keys = talloc(ctx, ServerKeys);
	enum err err = keys ? ERR_OK : ERR_NOMEM;

	if (keys)
		server_keys__init(keys);
	for (size_t i = 0; !err && i < h->n; i++)
		if (has_own_keys(h, i))
			err = keys_describe(keys, h->item[i].keys, h->item[i].conf->name, keys);
	if (!err)
		*out = keys;
	return err;
}

static bool has_key(const ServerKeys *keys, const ServerKey *key)
{
	for (size_t i = 0; keys && i < keys->n_key; i++)
		if (strcmp(keys->key[i]->pin, key->pin) == 0 &&
		    strcmp(keys->key[i]->vhost, key->vhost) == 0)
			return true;
	return false;
}

/* Those of KEYS that were not in use BEFORE (NULL: none were). */
static void log_keys(TALLOC_CTX *tmp, const ServerKeys *keys, const struct hosts *before)
{
	ServerKeys *old = NULL;

	if (before && describe(tmp, before, &old))
		old = NULL;
	for (size_t i = 0; i < keys->n_key; i++) {
		struct log_ctx log = { .vhost = keys->key[i]->vhost };

		if (!has_key(old, keys->key[i]))
			log_info(&log, "key-loaded", kv_str("algorithm", keys->key[i]->algorithm),
				 kv_str("pin", keys->key[i]->pin));
	}
}

/* Everything is made beside the running configuration, which serves on when this fails. */
static enum err load(TALLOC_CTX *ctx, struct auth *a, const AuthConf *msg, int fd,
		     struct keys_report *report, struct hosts **out)
{
	struct conf_rows rows = { .n = 0 };
	enum err err = conf_unpack_fd(ctx, fd, &rows);

	return err ? err : hosts_load(a, &rows, msg->generation, report, out);
}

/* Signatures for workers of the generation before are still asked for until they are gone. */
static void switch_to(struct auth *a, struct hosts *h)
{
	if (a->previous)
		talloc_unlink(a, a->previous);
	a->previous = a->hosts;
	a->hosts = h;
	resume_start(a);
	a->phase = AUTH_SERVING;
	workers_open(a);
	trim_after_start();
}

/* Fills RESULT with what the workers need of H; *FD is the area of its spans, the caller's. */
static enum err publish(TALLOC_CTX *ctx, struct hosts *h, ConfResult *result, int *fd)
{
	enum err err = fill_hosts(ctx, h, result);

	if (!err)
		err = describe(ctx, h, &result->keys);
	if (!err)
		err = trust_fd(h->trust, fd);
	TALLOC_FREE(h->trust);
	return err;
}

/* Start and reload are the same; `sallyportd -t` has a process of its own. */
static enum err on_conf(struct auth *a, void *peer, const AuthConf *msg, struct ipc_fds *fds)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ConfResult result = CONF_RESULT__INIT;
	struct keys_report report = { .ctx = tmp };
	struct hosts *h = NULL;
	int area = -1;
	enum err err = fds->n ? load(tmp, a, msg, fds->fd[0], &report, &h) : ERR_PROTO;

	(void)peer;
	if (!err)
		err = publish(tmp, h, &result, &area);
	for (size_t i = 0; i < report.warning.n; i++)
		log_warn(NULL, "conf-warning", kv_text(report.warning.item[i]));
	if (err && !report.error.n)
		log_err(NULL, "conf-not-loaded", kv_err(err));
	result.generation = msg->generation;
	result.ok = !err;
	result.error = report.error.item;
	result.n_error = report.error.n;
	result.passing = report.away && !report.pin_refused;
	/* Before main hears of it and announces workers of the new generation. */
	if (!err && !msg->check_only) {
		log_keys(tmp, result.keys, a->hosts);
		switch_to(a, h);
	} else {
		talloc_free(h);
	}
	(void)main_tell_fd(a, TO_MAIN__MSG_CONF_RESULT, &result, area);
	if (area >= 0)
		close(area);
	talloc_free(tmp);
	return ERR_OK;
}

/* ---- the rest ------------------------------------------------------------- */

static enum err on_worker_new(struct auth *a, void *peer, const WorkerNew *msg, struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	(void)peer;
	return fd < 0 ? ERR_PROTO : worker_add(a, msg, fd, false);
}

/* The client of a worker whose connection comes from a proxy. */
static enum err on_worker_remote(struct auth *a, void *peer, const WorkerRemote *msg,
				 struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(a, msg->worker_id);

	(void)peer;
	(void)fds;
	if (w) {
		w->remote = ipc_endpoint_read(msg->remote);
		w->local = ipc_endpoint_read(msg->local);
		w->remote_known = true;
		resume_client_known(w);
	}
	return ERR_OK;
}

static enum err on_worker_gone(struct auth *a, void *peer, const WorkerGone *msg,
			       struct ipc_fds *fds)
{
	struct worker *w = worker_by_id(a, msg->worker_id);

	(void)peer;
	(void)fds;
	if (w)
		worker_forget(w);
	return ERR_OK;
}

static enum err on_opened(struct auth *a, void *peer, const SessionOpened *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	session_opened(a, msg);
	return ERR_OK;
}

static enum err on_ended(struct auth *a, void *peer, const SessionClosed *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	session_closed(a, msg);
	return ERR_OK;
}

static enum err on_invalidate(struct auth *a, void *peer, const Invalidate *msg,
			      struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	session_invalidate(a, msg);
	return ERR_OK;
}

static enum err on_list(struct auth *a, void *peer, const ListSessions *msg, struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	session_list(a, msg);
	return ERR_OK;
}

static enum err on_account(struct auth *a, void *peer, const AccountSession *msg,
			   struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	accounts_start(a, msg);
	return ERR_OK;
}

static enum err on_traffic(struct auth *a, void *peer, const SessionTraffic *msg,
			   struct ipc_fds *fds)
{
	(void)peer;
	(void)fds;
	accounts_traffic(a, msg);
	return ERR_OK;
}

#define MAIN_ROUTES(R)                                                                             \
	R(ToAuth, conf, TO_AUTH__MSG_CONF, AUTH_FROM_MAIN, AUTH_ANY, 1, on_conf)                   \
	R(ToAuth, worker_new, TO_AUTH__MSG_WORKER_NEW, AUTH_FROM_MAIN, AUTH_ANY, 1, on_worker_new) \
	R(ToAuth, worker_remote, TO_AUTH__MSG_WORKER_REMOTE, AUTH_FROM_MAIN, AUTH_ANY, 0,          \
	  on_worker_remote)                                                                        \
	R(ToAuth, worker_gone, TO_AUTH__MSG_WORKER_GONE, AUTH_FROM_MAIN, AUTH_ANY, 0,              \
	  on_worker_gone)                                                                          \
	R(ToAuth, session_opened, TO_AUTH__MSG_SESSION_OPENED, AUTH_FROM_MAIN, AUTH_ANY, 0,        \
	  on_opened)                                                                               \
	R(ToAuth, session_closed, TO_AUTH__MSG_SESSION_CLOSED, AUTH_FROM_MAIN, AUTH_ANY, 0,        \
	  on_ended)                                                                                \
	R(ToAuth, invalidate, TO_AUTH__MSG_INVALIDATE, AUTH_FROM_MAIN, AUTH_ANY, 0, on_invalidate) \
	R(ToAuth, list_sessions, TO_AUTH__MSG_LIST_SESSIONS, AUTH_FROM_MAIN, AUTH_ANY, 0, on_list) \
	R(ToAuth, account_session, TO_AUTH__MSG_ACCOUNT_SESSION, AUTH_FROM_MAIN, AUTH_ANY, 0,      \
	  on_account)                                                                              \
	R(ToAuth, session_traffic, TO_AUTH__MSG_SESSION_TRAFFIC, AUTH_FROM_MAIN, AUTH_ANY, 0,      \
	  on_traffic)

ROUTES_DEFINE(main_routes, MAIN_ROUTES)

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct auth *a = arg;
	enum err err = route_dispatch(&main_routes, a, NULL, AUTH_FROM_MAIN, a->phase, msg, fds);

	(void)chan;
	/* Main is privileged and ours; a message we cannot use is a fault to be seen, no attack. */
	if (err)
		log_err(NULL, "bad-message", kv_str("from", "main"),
			kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))),
			kv_err(err));
}

/* The supervisor starts main again and gives us a new channel. */
static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct auth *a = arg;

	(void)chan;
	(void)why;
	TALLOC_FREE(a->main);
	accounts_main_gone(a);
}

enum err main_open(struct auth *a, int fd)
{
	static const struct chan_ops ops = { on_message, on_closed };

	TALLOC_FREE(a->main);
	return chan_new(a, a->loop, fd, &to_auth__descriptor, &ops, a, &a->main);
}

enum err main_tell(struct auth *a, ToMain__MsgCase kind, void *field)
{
	return main_tell_fd(a, kind, field, -1);
}

enum err main_tell_fd(struct auth *a, ToMain__MsgCase kind, void *field, int fd)
{
	ToMain top = TO_MAIN__INIT;
	enum err err;

	top.msg_case = kind;
	/* All members of the union are pointers to messages. */
	top.conf_result = field;
	err = a->main ? chan_send(a->main, &top.base, &fd, fd >= 0) : ERR_CLOSED;
	if (err)
		log_warn(NULL, "main-not-told",
			 kv_str("message", ipc_case_name(&to_main__descriptor, (uint32_t)kind)),
			 kv_err(err));
	return err;
}
