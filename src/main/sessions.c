/* sessions.c - the table of sessions and its copy in the journal. */
#include "main/sessions.h"

#include <string.h>

#include "base/clock.h"
#include "ipc/convert.h"
#include "ipc/journal.pb-c.h"
#include "main/tun.h"
#include "main/workers.h"

enum { AGENT_MAX = 200 }; /* bytes of a client's texts that fit the journal's slots */

struct sessions {
	struct session *first;
	size_t n_open;
	struct index *by_sid, *by_app_id, *by_peer, *by_user;
};

static int sessions_free(struct sessions *ss)
{
	while (ss->first)
		talloc_free(ss->first);
	return 0;
}

enum err sessions_new(struct main_ctx *m, struct sessions **out)
{
	struct sessions *ss = talloc_zero(m, struct sessions);

	if (!ss)
		return ERR_NOMEM;
	if (index_new(ss, &ss->by_sid) || index_new(ss, &ss->by_app_id) ||
	    index_new(ss, &ss->by_peer) || index_new(ss, &ss->by_user)) {
		talloc_free(ss);
		return ERR_NOMEM;
	}
	talloc_set_destructor(ss, sessions_free);
	*out = ss;
	return ERR_OK;
}

/* ---- finding ------------------------------------------------------------- */

struct session *sessions_first(const struct main_ctx *m)
{
	return m->sessions->first;
}

struct session *session_by_sid(const struct main_ctx *m, const char *sid)
{
	const struct index *ix = m->sessions->by_sid;

	for (struct index_node *n = index_first(ix, sid, strlen(sid)); n; n = index_next(n)) {
		struct session *s = n->item;
		if (!strcmp(s->sid, sid))
			return s;
	}
	return NULL;
}

struct session *session_by_app_id(const struct main_ctx *m, const uint8_t *id, size_t len)
{
	const struct index *ix = m->sessions->by_app_id;

	if (len != SESSION_APP_ID)
		return NULL;
	for (struct index_node *n = index_first(ix, id, len); n; n = index_next(n)) {
		struct session *s = n->item;
		if (!memcmp(s->app_id, id, len))
			return s;
	}
	return NULL;
}

struct session *session_by_peer(const struct main_ctx *m, const struct addr *addr)
{
	const struct index *ix = m->sessions->by_peer;
	struct session *found = NULL;

	for (struct index_node *n = index_first(ix, addr, sizeof *addr); n; n = index_next(n)) {
		struct session *s = n->item;
		if (!addr_equal(&s->peer, addr))
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

static bool has_tunnel(const struct session *s)
{
	return s->state == SESSION_OPENING || s->state == SESSION_OPEN;
}

size_t session_tunnels_of(const struct main_ctx *m, const char *user)
{
	const struct index *ix = m->sessions->by_user;
	size_t count = 0;

	for (struct index_node *n = index_first(ix, user, strlen(user)); n; n = index_next(n)) {
		const struct session *s = n->item;
		if (has_tunnel(s) && !strcmp(s->user, user))
			count++;
	}
	return count;
}

size_t sessions_open_count(const struct main_ctx *m)
{
	return m->sessions->n_open;
}

/* ---- changing ------------------------------------------------------------ */

void session_set_peer(struct session *s, const struct addr *peer)
{
	/* Bytes beyond an IPv4 address would be part of the key. */
	s->peer = (struct addr){ .family = peer->family };
	memcpy(s->peer.bytes, peer->bytes, addr_len(peer));
	index_remove(&s->by_peer);
	if (s->peer.family)
		index_add(s->m->sessions->by_peer, &s->by_peer, &s->peer, sizeof s->peer, s);
}

void session_set_app_id(struct session *s, const uint8_t *id)
{
	if (id) {
		memcpy(s->app_id, id, SESSION_APP_ID);
		index_add(s->m->sessions->by_app_id, &s->by_app_id, s->app_id, SESSION_APP_ID, s);
	} else {
		memset(s->app_id, 0, SESSION_APP_ID);
		index_remove(&s->by_app_id);
	}
}

void session_set_state(struct session *s, enum session_state state)
{
	bool had = has_tunnel(s);

	s->state = state;
	if (had && !has_tunnel(s))
		s->m->sessions->n_open--;
	else if (!had && has_tunnel(s))
		s->m->sessions->n_open++;
}

static int session_free(struct session *s)
{
	session_set_state(s, SESSION_IDLE);
	if (s->worker)
		s->worker->session = NULL;
	index_remove(&s->by_sid);
	index_remove(&s->by_app_id);
	index_remove(&s->by_peer);
	index_remove(&s->by_user);
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	return 0;
}

static struct session *session_new(struct main_ctx *m, const char *sid)
{
	struct sessions *ss = m->sessions;
	struct session *s = talloc_zero(ss, struct session);

	if (!s)
		return NULL;
	s->m = m;
	counters__init(&s->counted);
	counters__init(&s->told);
	counters__init(&s->end.counters);
	strcpy(s->sid, sid);
	memcpy(s->sid_short, sid, SESSION_SHORT);
	index_add(ss->by_sid, &s->by_sid, s->sid, SESSION_SID, s);
	s->next = ss->first;
	s->prev = &ss->first;
	if (s->next)
		s->next->prev = &s->next;
	ss->first = s;
	talloc_set_destructor(s, session_free);
	return s;
}

static bool set_text(struct session *s, const char **field, const char *text)
{
	char *copy = talloc_strndup(s, text, AGENT_MAX);

	if (!copy)
		return false;
	talloc_free((void *)(uintptr_t)*field);
	*field = copy;
	return true;
}

enum err session_update(struct session *s, const Session *info)
{
	struct endpoint remote = ipc_endpoint_read(info->remote);

	if (!set_text(s, &s->user, info->user) || !set_text(s, &s->group, info->group) ||
	    !set_text(s, &s->vhost, info->vhost) ||
	    !set_text(s, &s->user_agent, info->user_agent) ||
	    !set_text(s, &s->hostname, info->hostname) ||
	    !set_text(s, &s->device_type, info->device_type) ||
	    !set_text(s, &s->device_platform, info->device_platform))
		return ERR_NOMEM;
	s->started = info->started;
	s->mobile = info->mobile;
	if (remote.addr.family)
		s->remote = remote;
	index_add(s->m->sessions->by_user, &s->by_user, s->user, strlen(s->user), s);
	s->log = (struct log_ctx){ s->sid_short, s->user, s->vhost, &s->remote.addr };
	return ERR_OK;
}

enum err session_get(struct main_ctx *m, const Session *info, struct session **out)
{
	struct session *s;

	if (strlen(info->sid) != SESSION_SID || !*info->user)
		return ERR_PROTO;
	s = session_by_sid(m, info->sid);
	if (!s) { /* a known one is updated when its older connection has gone */
		s = session_new(m, info->sid);
		if (!s)
			return ERR_NOMEM;
		if (session_update(s, info)) {
			talloc_free(s);
			return ERR_NOMEM;
		}
	}
	*out = s;
	return ERR_OK;
}

/* ---- journal ------------------------------------------------------------- */

static void journal_key(const char *sid, uint8_t key[JOURNAL_KEY])
{
	memset(key, 0, JOURNAL_KEY);
	key[0] = SESSION_KEY;
	memcpy(key + 1, sid, SESSION_SID);
}

size_t session_addresses(const struct session *s, struct kv kv[2])
{
	size_t n = 0;

	if (s->v4)
		kv[n++] = kv_addr("ipv4", lease_addr(s->v4));
	if (s->v6)
		kv[n++] = kv_addr("ipv6", lease_addr(s->v6));
	return n;
}

/* Somebody else may have the addresses from now on. */
static void log_release(const struct session *s)
{
	struct kv kv[3] = { 0 };

	if (session_addresses(s, kv))
		log_event(LOG_LVL_INFO, &s->log, "addresses-released", kv);
}

void session_forget(struct session *s)
{
	uint8_t key[JOURNAL_KEY];

	log_release(s);
	journal_key(s->sid, key);
	journal_del(s->m->journal, key);
	talloc_free(s);
}

/* A record and the messages its fields point to. */
struct record {
	JournalSession top;
	Session session;
	Endpoint remote, local;
	JournalPool pool4, pool6;
	Net net4, net6;
	Counters counted;
};

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c has no const strings; it only reads */
}

void session_fill(const struct session *s, Session *out, Endpoint *remote)
{
	session__init(out);
	*remote = ipc_endpoint(&s->remote);
	out->sid = borrow(s->sid);
	out->user = borrow(s->user);
	out->group = borrow(s->group);
	out->vhost = borrow(s->vhost);
	out->started = s->started;
	out->user_agent = borrow(s->user_agent);
	out->hostname = borrow(s->hostname);
	out->device_type = borrow(s->device_type);
	out->device_platform = borrow(s->device_platform);
	out->mobile = s->mobile;
	out->remote = remote;
}

static void fill_pool(JournalPool *pool, Net *net, const struct lease_pool *from)
{
	journal_pool__init(pool);
	net__init(net);
	net->addr = ipc_addr(&from->net.addr);
	net->prefix = from->net.prefix;
	pool->net = net;
	pool->unit = from->unit;
}

static void fill_tunnel(const struct session *s, JournalSession *top)
{
	if (!has_tunnel(s) || !s->worker)
		return;
	top->worker_id = s->worker->id;
	top->pid = s->worker->pid;
	if (s->state == SESSION_OPEN)
		top->app_id =
			(ProtobufCBinaryData){ SESSION_APP_ID, (uint8_t *)(uintptr_t)s->app_id };
	top->connected_at = s->connected_at;
	top->up = s->up;
	top->hook_ran = s->hook_ran;
	top->device = borrow(s->device ? s->device : "");
}

static void fill(const struct session *s, struct record *r)
{
	journal_session__init(&r->top);
	session_fill(s, &r->session, &r->remote);
	r->local = ipc_endpoint(&s->local);
	fill_pool(&r->pool4, &r->net4, &s->pool4);
	fill_pool(&r->pool6, &r->net6, &s->pool6);
	r->top.session = &r->session;
	r->top.deadline = s->deadline;
	r->top.local = &r->local;
	if (s->v4) {
		r->top.v4 = ipc_addr(lease_addr(s->v4));
		r->top.pool4 = &r->pool4;
	}
	if (s->v6) {
		r->top.v6 = ipc_addr(lease_addr(s->v6));
		r->top.pool6 = &r->pool6;
	}
	r->top.host_update_done = s->host_update_done;
	r->counted = s->counted;
	r->top.counted = &r->counted;
	fill_tunnel(s, &r->top);
}

void session_save(struct session *s)
{
	uint8_t key[JOURNAL_KEY], value[JOURNAL_SHORT];
	struct record r;
	size_t len;

	fill(s, &r);
	journal_key(s->sid, key);
	len = journal_session__get_packed_size(&r.top);
	if (len > sizeof value) { /* what only occtl shows is given up first */
		r.session.user_agent = r.session.device_type = r.session.device_platform =
			borrow("");
		len = journal_session__get_packed_size(&r.top);
	}
	if (len > sizeof value) {
		log_err(&s->log, "journal-failed", kv_err(ERR_TOO_LONG));
		return;
	}
	journal_session__pack(&r.top, value);
	if (journal_put(s->m->journal, key, value, len))
		log_err(&s->log, "journal-failed", kv_err(ERR_EXHAUSTED));
}

static void restore_lease(struct session *s, const ProtobufCBinaryData *bytes,
			  const JournalPool *from, struct lease_pool *pool, struct lease **lease)
{
	struct addr addr = ipc_addr_read(bytes);

	if (!addr.family || !from || !from->net || from->net->prefix > 128 || from->unit > 128)
		return;
	pool->net.addr = ipc_addr_read(&from->net->addr);
	pool->net.prefix = (uint8_t)from->net->prefix;
	pool->unit = (uint8_t)from->unit;
	if (lease_take_exact(s->m->leases, pool, &addr, s, lease))
		log_err(&s->log, "lease-lost", kv_addr("addr", &addr));
}

static void restore_tunnel(struct session *s, const JournalSession *rec)
{
	struct worker *w = rec->worker_id ? worker_by_id(s->m, rec->worker_id) : NULL;

	s->connected_at = rec->connected_at;
	s->up = rec->up;
	s->in_utmp = s->up && s->m->conf->use_utmp;
	s->hook_ran = rec->hook_ran;
	s->device = talloc_strdup(s, rec->device);
	s->id = rec->pid;
	/* While its connect script ran there was no tunnel; the worker will ask for it again. */
	if (rec->app_id.len != SESSION_APP_ID)
		return;
	s->end.worker_id = rec->worker_id;
	if (!w)
		return;
	w->session = s;
	w->state = WORKER_OPEN;
	w->user = s->user;
	w->accepted = s->connected_at;
	w->remote = s->remote;
	w->local = s->local;
	s->worker = w;
	session_set_state(s, SESSION_OPEN);
	session_set_app_id(s, rec->app_id.data);
	session_set_peer(s, &s->remote.addr);
}

bool session_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		     size_t len)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ProtobufCMessage *msg;
	struct session *s = NULL;

	if (key[0] == SESSION_KEY &&
	    !ipc_unpack(tmp, &journal_session__descriptor, value, len, &msg)) {
		const JournalSession *rec = (const JournalSession *)(const void *)msg;
		if (rec->session && !session_get(m, rec->session, &s)) {
			s->deadline = rec->deadline;
			s->local = ipc_endpoint_read(rec->local);
			s->host_update_done = rec->host_update_done;
			if (rec->counted)
				s->counted = ipc_counters(rec->counted);
			restore_lease(s, &rec->v4, rec->pool4, &s->pool4, &s->v4);
			restore_lease(s, &rec->v6, rec->pool6, &s->pool6, &s->v6);
			restore_tunnel(s, rec);
		}
	}
	talloc_free(tmp);
	return s != NULL;
}
