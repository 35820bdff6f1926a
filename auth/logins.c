/* logins.c - all logins in progress: found by context or connection, ended when their time is up.
 */
#include "auth/logins.h"

#include <string.h>

#include "auth/login.h"
#include "auth/second_cert.h"
#include "base/secret.h"

enum {
	BUCKETS = 256,
	LOGINS_MAX =
		32768, /* beyond it the oldest gives way: half-open logins cost nothing to make */
	AGENT_MAX = 255,
	STEPS_MAX = 64, /* no honest dialogue is that long */
	/* Longer than any name, label or URL, and than any password or header: a client may fill a
	 * whole body with one field, and a worker in hostile hands a whole message with many. */
	NAME_BYTES = 1024,
	SECRET_BYTES = 16 * 1024,
	ANSWERS_MAX = 64,
};

enum err logins_new(TALLOC_CTX *ctx, const struct logins_ops *ops, void *arg, struct logins **out)
{
	struct logins *l = talloc_zero(ctx, struct logins);

	if (!l)
		return ERR_NOMEM;
	l->ops = ops;
	l->arg = arg;
	l->tail = &l->first;
	l->by_context = talloc_zero_array(l, struct login *, BUCKETS);
	l->by_worker = talloc_zero_array(l, struct login *, BUCKETS);
	if (!l->by_context || !l->by_worker) {
		talloc_free(l);
		return ERR_NOMEM;
	}
	*out = l;
	return ERR_OK;
}

/* Contexts are random, worker numbers consecutive: both spread well by their low bits. */
static struct login **context_bucket(const struct logins *l, const uint8_t *context)
{
	uint32_t h;

	memcpy(&h, context, sizeof h);
	return &l->by_context[h % BUCKETS];
}

static struct login **worker_bucket(const struct logins *l, uint64_t worker)
{
	return &l->by_worker[worker % BUCKETS];
}

/* A login without a worker is found by its context only. */
static void leave_worker(struct login *g)
{
	struct login **p = worker_bucket(g->all, g->worker);

	while (*p && *p != g)
		p = &(*p)->by_worker;
	if (*p)
		*p = g->by_worker;
	g->by_worker = NULL;
}

static void join_worker(struct login *g, uint64_t worker)
{
	struct login **p = worker_bucket(g->all, worker);

	leave_worker(g);
	g->worker = worker;
	g->by_worker = *p;
	*p = g;
}

static int login_destroy(struct login *g)
{
	struct logins *l = g->all;
	struct login **p = context_bucket(l, g->context);

	leave_worker(g);
	while (*p != g)
		p = &(*p)->by_context;
	*p = g->by_context;
	*g->prev = g->next;
	if (g->next)
		g->next->prev = g->prev;
	else
		l->tail = g->prev;
	l->count--;
	secret_wipe(g->cookie, sizeof g->cookie);
	return 0;
}

void login_end(struct login *g)
{
	talloc_free(g);
}

const struct login_policy *login_policy(const struct login *g)
{
	return g->all->ops->policy(g->all->arg, g->vhost);
}

static void link_in(struct logins *l, struct login *g)
{
	struct login **p = context_bucket(l, g->context);

	g->by_context = *p;
	*p = g;
	g->prev = l->tail;
	*l->tail = g;
	l->tail = &g->next;
	l->count++;
	talloc_set_destructor(g, login_destroy);
}

static struct login *login_new(struct logins *l, const struct login_policy *policy,
			       const struct endpoint *remote)
{
	struct login *g;

	if (l->count >= LOGINS_MAX) {
		if (l->first->waiting)
			login_deny(l->first, "Internal error", NULL);
		else
			login_end(l->first);
	}
	g = talloc_zero(l, struct login);
	if (!g)
		return NULL;
	g->all = l;
	secret_random(g->context, sizeof g->context);
	secret_random(g->cookie, sizeof g->cookie);
	ticket_sid(g->cookie, g->sid);
	memcpy(g->sid_short, g->sid, TICKET_SHORT);
	g->owner = remote->addr;
	g->created = l->ops->now(l->arg);
	g->expires = g->created + policy->lifetime;
	g->vhost = talloc_strdup(g, policy->vhost);
	if (!g->vhost) {
		talloc_free(g);
		return NULL;
	}
	link_in(l, g);
	return g;
}

/* A context belongs to the address that began it and to its host; another's is like none. */
static bool may_continue(const struct login *g, const char *vhost, const struct endpoint *remote)
{
	return strcmp(g->vhost, vhost) == 0 && addr_equal(&g->owner, &remote->addr) &&
	       g->all->ops->now(g->all->arg) < g->expires;
}

/* CONTEXT: LOGIN_CONTEXT bytes. */
static struct login *find_context(const struct logins *l, const uint8_t *context)
{
	struct login *g = *context_bucket(l, context);

	while (g && !secret_equal(g->context, context, LOGIN_CONTEXT))
		g = g->by_context;
	return g;
}

bool logins_know(const struct logins *l, const struct login_peer *peer, const char *vhost,
		 const ProtobufCBinaryData *context)
{
	const struct login *g =
		context->len == LOGIN_CONTEXT ? find_context(l, context->data) : NULL;

	return g && may_continue(g, vhost, &peer->remote);
}

/* Without a cookie the connection itself names its login (protocol.md 1.3). */
static struct login *find(const struct logins *l, const struct login_peer *peer, const Step *msg)
{
	struct login *g;

	if (msg->context.len == LOGIN_CONTEXT) {
		g = find_context(l, msg->context.data);
	} else {
		for (g = *worker_bucket(l, peer->worker); g; g = g->by_worker)
			if (g->worker == peer->worker)
				break;
	}
	return g && may_continue(g, msg->vhost, &peer->remote) ? g : NULL;
}

/* Clients may send kilobytes; nobody reads more of it, and the journal has to hold it. */
static const char *agent_name(struct login *g, const char *old, const char *text)
{
	char cut[AGENT_MAX + 1];

	str_copy(cut, sizeof cut, text);
	talloc_free((char *)(uintptr_t)old);
	return talloc_strdup(g, cut);
}

static const char *replace(struct login *g, const char *old, const char *text)
{
	talloc_free((char *)(uintptr_t)old);
	return talloc_strdup(g, text);
}

/* "/staff/" -> "staff" (protocol.md 3.9). */
static const char *path_name(struct login *g, const char *old, const char *path)
{
	size_t len;

	path += *path == '/';
	len = strlen(path);
	if (len && path[len - 1] == '/')
		len--;
	talloc_free((char *)(uintptr_t)old);
	return talloc_strndup(g, path, len);
}

/* What this connection showed; an earlier one's certificate does not count (protocol.md 2.6). */
static enum err take_cert(struct login *g, const Step *msg)
{
	TALLOC_FREE(g->cert_groups.item);
	g->cert_groups.n = 0;
	g->cert_ok = msg->cert_ok;
	g->cert_bad = msg->cert_bad;
	g->machine = replace(g, g->machine, msg->cert_ok ? msg->cert_user : "");
	g->cert_user = replace(g, g->cert_user, g->machine ? g->machine : "");
	for (size_t i = 0; msg->cert_ok && i < msg->n_cert_group; i++)
		if (strv_add(g, &g->cert_groups, msg->cert_group[i]))
			return ERR_NOMEM;
	return g->machine && g->cert_user ? second_cert_apply(g) : ERR_NOMEM;
}

/* Takes over what the step says beside the dialogue itself. */
static enum err take_facts(struct login *g, const struct login_peer *peer, const Step *msg)
{
	join_worker(g, peer->worker);
	g->waiting = true;
	g->remote = peer->remote;
	g->local = peer->local;
	g->http_auth = msg->http_auth;
	g->user_agent = agent_name(g, g->user_agent, msg->user_agent);
	g->authorization = replace(g, g->authorization, msg->authorization);
	secret_mark((char *)(uintptr_t)g->authorization);
	if (*msg->group || !g->selected)
		g->selected = replace(g, g->selected, msg->group);
	if ((msg->kind == STEP_KIND__STEP_INIT && *msg->group_url) || !g->url)
		g->url = path_name(g, g->url, msg->group_url);
	if (!g->user_agent || !g->authorization || !g->selected || !g->url)
		return ERR_NOMEM;
	g->log = (struct log_ctx){ g->sid_short, g->user, g->vhost, &g->remote.addr };
	return take_cert(g, msg);
}

void login_failed(const struct login *g, uint32_t points, bool final)
{
	g->all->ops->failed(g->all->arg, g->worker, &g->remote, g->user ? g->user : "", points,
			    final);
}

/* An answer whose client did not wait for what comes of it. */
struct abandoned {
	struct logins *all;
	uint64_t worker;
	struct endpoint remote;
	const char *user;
	uint32_t points;
	bool open; /* even a right answer would have led to another question (login_left) */
};

static void on_abandoned(void *arg, enum err err, const struct verdict *v)
{
	struct abandoned *a = arg;

	if (!err && (v->kind == VERDICT_REJECT || (a->open && v->kind == VERDICT_ACCEPT)))
		a->all->ops->failed(a->all->arg, a->worker, &a->remote, a->user, a->points, false);
	talloc_free(a);
}

/* Acceptance comes at once and refusals late, so without this hanging up would make guessing free.
 * A server that does not answer is nobody's fault. */
static void abandon_job(struct login *g, const struct login_policy *policy)
{
	struct abandoned *a = talloc_zero(g->all, struct abandoned);
	struct runner_job *job = g->job;

	g->job = NULL;
	if (a)
		a->user = talloc_strdup(a, g->user);
	if (!a || !a->user) {
		talloc_free(a);
		talloc_free(job);
		return;
	}
	a->all = g->all;
	a->worker = g->worker;
	a->remote = g->remote;
	a->points = policy->points;
	a->open = login_backend(g, policy) && !login_at_last_factor(g, policy);
	if (!g->all->ops->abandon(g->all->arg, job, a, on_abandoned, a))
		talloc_free(a);
}

/* A client that comes back while its password is being checked gives that answer up; it counts as
 * a try. */
static void drop_job(struct login *g)
{
	const struct login_policy *policy = g->job ? login_policy(g) : NULL;

	if (!g->job)
		return;
	if (g->user)
		g->tries++;
	if (g->user && policy)
		abandon_job(g, policy);
	else
		TALLOC_FREE(g->job);
}

static void deny_peer(struct logins *l, uint64_t worker, const char *reason)
{
	StepResult result = STEP_RESULT__INIT;
	Denied denied = DENIED__INIT;

	denied.status = 401;
	denied.reason = (char *)(uintptr_t)reason;
	result.result_case = STEP_RESULT__RESULT_DENIED;
	result.denied = &denied;
	l->ops->answer(l->arg, worker, &result);
}

/* Takes WORKER away from its logins but KEEP: none of them may answer it any more. */
static void part(struct logins *l, uint64_t worker, const struct login *keep)
{
	struct login *next;

	for (struct login *g = *worker_bucket(l, worker); g; g = next) {
		next = g->by_worker;
		if (g->worker != worker || g == keep)
			continue;
		drop_job(g);
		g->waiting = false;
		leave_worker(g);
		g->worker = 0;
	}
}

void logins_worker_gone(struct logins *l, uint64_t worker)
{
	part(l, worker, NULL);
}

/* The step of PEER is the one to answer now: neither another login of its worker nor another
 * worker of its login waits any longer. */
static void take_turn(struct logins *l, struct login *g, const struct login_peer *peer)
{
	part(l, peer->worker, g);
	drop_job(g);
	if (g->waiting && g->worker != peer->worker)
		deny_peer(l, g->worker, "Internal error");
	g->waiting = false;
}

static bool fits(const char *text, size_t most)
{
	return strnlen(text, most + 1) <= most;
}

static bool all_fit(char *const *name, size_t n)
{
	bool good = n <= BACKEND_GROUPS_MAX;

	for (size_t i = 0; good && i < n; i++)
		good = fits(name[i], NAME_BYTES);
	return good;
}

/* Logins cost nothing to begin and are kept for minutes, so what MSG makes us keep, and copy for a
 * runner, is bounded before anything is done with it. */
static bool is_bounded(const Step *msg)
{
	const SecondCert *second = msg->second;
	bool good = fits(msg->username, NAME_BYTES) && fits(msg->group, NAME_BYTES) &&
		    fits(msg->group_url, NAME_BYTES) && fits(msg->cert_user, NAME_BYTES) &&
		    fits(msg->authorization, SECRET_BYTES) && msg->n_answer <= ANSWERS_MAX &&
		    all_fit(msg->cert_group, msg->n_cert_group);

	for (size_t i = 0; good && i < msg->n_answer; i++)
		good = fits(msg->answer[i]->value, SECRET_BYTES);
	if (second)
		good = good && fits(second->user, NAME_BYTES) &&
		       all_fit(second->group, second->n_group);
	return good;
}

void logins_step(struct logins *l, const struct login_peer *peer, const Step *msg)
{
	const struct login_policy *policy = l->ops->policy(l->arg, msg->vhost);
	bool bounded = is_bounded(msg);
	struct login *g = policy && bounded ? find(l, peer, msg) : NULL;

	if (policy && bounded && !g)
		g = login_new(l, policy, &peer->remote);
	if (!bounded)
		log_info(&(struct log_ctx){ .ip = &peer->remote.addr }, "step-too-large",
			 kv_text("a name, group or answer beyond all bounds; rejecting"));
	if (!g) {
		part(l, peer->worker, NULL);
		deny_peer(l, peer->worker, bounded ? "Internal error" : "Authentication failed");
		return;
	}
	take_turn(l, g, peer);
	if (take_facts(g, peer, msg))
		login_deny(g, "Internal error", NULL);
	else if (++g->steps > STEPS_MAX || g->tries >= LOGIN_TRIES)
		login_deny(g, "Authentication failed", NULL);
	else
		login_advance(g, policy, msg);
}

void logins_expire(struct logins *l)
{
	int64_t now = l->ops->now(l->arg);
	struct login *next;

	for (struct login *g = l->first; g; g = next) {
		next = g->next;
		if (now < g->expires)
			continue;
		login_left(g, true);
		if (g->waiting)
			login_deny(g, "Authentication failed", NULL);
		else
			login_end(g);
	}
}

/* As occtl shows it (admin.md 6.11). */
static const char *state_text(const struct login *g)
{
	if (g->tries >= LOGIN_TRIES) /* before that, he may try again */
		return "auth failed";
	return g->user ? "authenticating" : "pre-auth";
}

void logins_each(const struct logins *l, void (*fn)(void *arg, const struct login_info *info),
		 void *arg)
{
	for (const struct login *g = l->first; g; g = g->next) {
		struct login_info info = {
			.sid = g->sid,
			.user = g->user ? g->user : "",
			.vhost = g->vhost,
			.user_agent = g->user_agent ? g->user_agent : "",
			.state = state_text(g),
			.remote = &g->remote.addr,
			.created = g->created,
			.expires = g->expires,
			.tls_auth_ok = g->cert_ok,
		};

		fn(arg, &info);
	}
}
