/* restore.c - main after a crash: puts together what the supervisor, the journal and the workers
 * remember.  The journal says which worker has which session; the worker has the device. */
#include "main/restore.h"

#include <unistd.h>

#include "base/log.h"
#include "main/ban.h"
#include "main/connect.h"
#include "main/on_worker.h"
#include "main/restrict.h"
#include "main/sessions.h"
#include "main/stats_journal.h"
#include "main/tun.h"
#include "main/workers.h"

enum { ANSWER_MS = 2000 }; /* for workers to describe themselves */

struct kept {
	FdKind kind;
	uint64_t id;
	int fd;
	ProtobufCBinaryData note;
	struct kept *next;
};

struct restore {
	struct main_ctx *m;
	struct kept *first; /* by id within a kind */
	ev_timer answers;
};

static int restore_free(struct restore *r)
{
	ev_timer_stop(r->m->loop, &r->answers);
	for (struct kept *k = r->first; k; k = k->next)
		close(k->fd);
	return 0;
}

/* Those that do not answer go on; only what occtl shows of them is missing. */
static void on_answers_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct main_ctx *m = w->data;
	size_t silent = 0;

	(void)loop;
	(void)revents;
	for (struct worker *i = workers_first(m); i; i = i->next)
		silent += !i->described;
	if (silent)
		log_warn(NULL, "workers-silent", kv_u64("silent", silent),
			 kv_u64("workers", workers_count(m)));
}

enum err restore_new(struct main_ctx *m, struct restore **out)
{
	struct restore *r = talloc_zero(m, struct restore);

	if (!r)
		return ERR_NOMEM;
	r->m = m;
	ev_timer_init(&r->answers, on_answers_over, (double)ANSWER_MS / 1000, 0);
	r->answers.data = m;
	talloc_set_destructor(r, restore_free);
	*out = r;
	return ERR_OK;
}

enum err restore_add(struct restore *r, const FdRestored *msg, int fd)
{
	struct kept *k = talloc_zero(r, struct kept), **p = &r->first;

	if (k && msg->note.len)
		k->note.data = talloc_memdup(k, msg->note.data, msg->note.len);
	if (!k || (msg->note.len && !k->note.data)) {
		talloc_free(k);
		close(fd);
		return ERR_NOMEM;
	}
	/* Only the few listeners have an order; thousands of workers go to the front. */
	while (*p && msg->kind != FD_KIND__FD_WORKER_MAIN &&
	       ((*p)->kind < msg->kind || ((*p)->kind == msg->kind && (*p)->id < msg->id)))
		p = &(*p)->next;
	k->kind = msg->kind;
	k->id = msg->id;
	k->fd = fd;
	k->note.len = msg->note.len;
	k->next = *p;
	*p = k;
	return ERR_OK;
}

/* Takes the first of KIND out of the list; the caller frees it. */
static struct kept *take(struct restore *r, FdKind kind)
{
	for (struct kept **p = &r->first; *p; p = &(*p)->next) {
		struct kept *k = *p;

		if (k->kind != kind)
			continue;
		*p = k->next;
		return k;
	}
	return NULL;
}

int restore_take(struct restore *r, FdKind kind)
{
	struct kept *k = take(r, kind);
	int fd = k ? k->fd : -1;

	talloc_free(k);
	return fd;
}

static void ask(struct worker *w)
{
	Describe describe = DESCRIBE__INIT;

	worker_tell(w, TO_WORKER__MSG_DESCRIBE, &describe, -1);
}

static void on_record(void *arg, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct main_ctx *m = arg;

	if (!session_restore(m, key, value, len) && !worker_restore(m, key, value, len) &&
	    !ban_restore(m->bans, key, value, len) && !stats_restore(m, key, value, len))
		log_err(NULL, "journal-record-unknown");
}

/* Host settings stand in until the worker tells those of its user. */
static void settle(struct main_ctx *m)
{
	struct session *next;

	for (struct session *s = sessions_first(m); s; s = next) {
		next = s->next;
		if (!s->worker && s->end.worker_id)
			connect_lost(s);
		else if (s->worker && connect_set_conf(s, NULL, 0))
			worker_kill(s->worker);
	}
}

void restore_workers(struct main_ctx *m)
{
	struct kept *k;

	while ((k = take(m->restore, FD_KIND__FD_WORKER_MAIN))) {
		if (worker_adopt(m, k->id, k->fd, &k->note))
			log_err(NULL, "worker-lost", kv_u64("worker", k->id));
		talloc_free(k);
	}
	if (journal_each(m->journal, on_record, m))
		log_err(NULL, "journal-lost", kv_err(ERR_NOMEM));
	settle(m);
	restrict_restore(m);
	for (struct worker *w = workers_first(m); w; w = w->next)
		ask(w);
	if (workers_first(m))
		ev_timer_start(m->loop, &m->restore->answers);
}

/* The worker never got the tunnel of the journal's record: it asks for it again, through auth. */
static void no_tunnel(struct worker *w)
{
	static const struct addr nowhere;
	struct session *s = w->session;

	/* With a device it is not the journal's tunnel: the worker has asked already. */
	if (!s || s->worker != w || s->state != SESSION_OPEN || s->tun)
		return;
	session_set_app_id(s, NULL);
	session_set_peer(s, &nowhere);
	session_set_state(s, SESSION_IDLE);
	restrict_end(s);
	s->worker = NULL;
	w->session = NULL;
	w->state = WORKER_LOGIN;
}

enum err restore_described(struct worker *w, const Description *msg, int tun_fd)
{
	struct session *s = w->session;

	w->described = true;
	if (msg->info)
		worker_take_info(w, msg->info);
	if (!msg->tunnel || tun_fd < 0) {
		if (tun_fd >= 0)
			close(tun_fd);
		no_tunnel(w);
		return ERR_OK;
	}
	if (!s || s->state != SESSION_OPEN || s->tun) {
		close(tun_fd);
		return ERR_STATE; /* a tunnel that we never gave: the journal is right */
	}
	if (tun_adopt(s, w->m->nl, tun_fd, &s->tun))
		return ERR_STATE;
	if (s->v6)
		tun_set_v6_prefix(s->tun, lease_prefix(s->v6));
	if (msg->facts)
		worker_take_facts(w, msg->facts);
	if (connect_set_conf(s, msg->row, msg->n_row))
		log_warn(&s->log, "settings-lost", kv_str("kept", "those of the host"));
	restrict_restored(s);
	return ERR_OK;
}
