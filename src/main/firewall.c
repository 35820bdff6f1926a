/* firewall.c - the thread that changes the kernel's rules.
 *
 * The loop hands texts over, the thread gives verdicts back; both lists are behind one lock, and a
 * change belongs to whoever has it in hand. */
#include "main/firewall.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "main/fw_watch.h"
#include "main/nft.h"

enum { BATCH = 64 }; /* changes of one transaction */

struct fw_change {
	/* The first text needs the table, and nothing of the session in it; the second does not
	 * care.  Removing has one text for both. */
	char *quick, *sure;
	bool check; /* changes nothing, asks whether the table is there */
	bool ok, lost;
	char *why;
	void *arg; /* of whoever waits; only the loop's */
	bool awaited;
	struct fw_change *next;
};

struct changes {
	struct fw_change *first, **tail;
};

struct firewall {
	struct ev_loop *loop;
	const char *table;
	const struct firewall_ops *ops;
	ev_async finished;
	struct fw_watch *watch;
	bool checking; /* one that was not answered yet */
	bool again;    /* a table went meanwhile, and the answer may be older */
	bool running;  /* the thread */
	pthread_t thread;
	/* Shared: */
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct changes todo, done;
	bool quit;
	/* The thread's: */
	bool has_table;
};

static void append(struct changes *list, struct fw_change *c)
{
	c->next = NULL;
	*list->tail = c;
	list->tail = &c->next;
}

static struct fw_change *take_all(struct changes *list)
{
	struct fw_change *first = list->first;

	list->first = NULL;
	list->tail = &list->first;
	return first;
}

/* ---- the thread ---------------------------------------------------------- */

/* The text of a whole transaction, child of TMP. */
static struct buf *begin_text(TALLOC_CTX *tmp, const struct firewall *fw, bool base)
{
	struct buf *text = talloc_zero(tmp, struct buf);

	if (!text)
		return NULL;
	buf_init(text, text, (size_t)BATCH * FW_TEXT_MAX);
	if (base)
		fw_rules_base(text, fw->table);
	return text;
}

static bool run_text(struct buf *text, char **why)
{
	return text && !text->failed && !nft_run(text, buf_text(text), why);
}

/* Everything of FIRST in one transaction. */
static bool run_together(struct firewall *fw, struct fw_change *first)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct buf *text = begin_text(tmp, fw, !fw->has_table);
	bool ok;

	for (struct fw_change *c = first; text && c; c = c->next)
		buf_puts(text, c->quick ? c->quick : "");
	ok = run_text(text, NULL);
	for (struct fw_change *c = first; ok && c; c = c->next)
		c->ok = true;
	fw->has_table |= ok;
	talloc_free(tmp);
	return ok;
}

/* The table exists, with its map. */
static bool table_there(const struct firewall *fw)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *out, *query = talloc_asprintf(tmp, "list map inet %s sessions", fw->table);
	bool there = query && !nft_query(tmp, query, &out);

	talloc_free(tmp);
	return there;
}

/* On any ground. */
static void run_alone(struct firewall *fw, struct fw_change *c)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct buf *text = begin_text(tmp, fw, true);
	char *why = NULL;

	if (text && c->sure)
		buf_puts(text, c->sure);
	c->ok = run_text(text, &why);
	if (why)
		c->why = talloc_strdup(c, why);
	fw->has_table |= c->ok;
	talloc_free(tmp);
}

/* Whether somebody has removed the table since we used it last. */
static bool notice_loss(struct firewall *fw)
{
	bool lost = fw->has_table && !table_there(fw);

	fw->has_table = fw->has_table && !lost;
	return lost;
}

static bool has_check(const struct fw_change *first)
{
	while (first && !first->check)
		first = first->next;
	return first;
}

static void run_changes(struct firewall *fw, struct fw_change *first)
{
	bool lost = has_check(first) && notice_loss(fw);

	if (!run_together(fw, first)) {
		lost |= notice_loss(fw);
		/* One by one, so that a change which is refused harms nobody else. */
		for (struct fw_change *c = first; c; c = c->next)
			run_alone(fw, c);
	}
	first->lost = lost;
}

/* Gives up to BATCH changes, waits for the first; NULL: the end. */
static struct fw_change *next_batch(struct firewall *fw)
{
	struct fw_change *first, *last;

	pthread_mutex_lock(&fw->lock);
	while (!fw->todo.first && !fw->quit)
		pthread_cond_wait(&fw->asked, &fw->lock);
	/* At the end the whole table goes, and what is left to do with it. */
	first = last = fw->quit ? NULL : fw->todo.first;
	for (unsigned n = 1; last && last->next && n < BATCH; n++)
		last = last->next;
	if (last) {
		fw->todo.first = last->next;
		if (!last->next)
			fw->todo.tail = &fw->todo.first;
		last->next = NULL;
	}
	pthread_mutex_unlock(&fw->lock);
	return first;
}

static void give_back(struct firewall *fw, struct fw_change *first)
{
	struct fw_change *next;

	pthread_mutex_lock(&fw->lock);
	for (; first; first = next) {
		next = first->next;
		append(&fw->done, first);
	}
	pthread_mutex_unlock(&fw->lock);
	ev_async_send(fw->loop, &fw->finished);
}

static void *run(void *arg)
{
	struct firewall *fw = arg;
	struct fw_change *batch;

	while ((batch = next_batch(fw))) {
		run_changes(fw, batch);
		give_back(fw, batch);
	}
	return NULL;
}

/* ---- the loop ------------------------------------------------------------ */

static void hand_over(struct firewall *fw, struct fw_change *c)
{
	pthread_mutex_lock(&fw->lock);
	append(&fw->todo, c);
	pthread_cond_signal(&fw->asked);
	pthread_mutex_unlock(&fw->lock);
}

/* Somebody has removed a table, perhaps ours. */
static void on_removed(void *arg)
{
	struct firewall *fw = arg;
	struct fw_change *c = fw->checking ? NULL : talloc_zero(NULL, struct fw_change);

	fw->again = fw->checking;
	if (!c)
		return;
	c->check = fw->checking = true;
	hand_over(fw, c);
}

static void on_finished(struct ev_loop *loop, ev_async *w, int revents)
{
	struct firewall *fw = w->data;
	struct fw_change *c, *next;
	bool lost = false;

	(void)loop;
	(void)revents;
	pthread_mutex_lock(&fw->lock);
	c = take_all(&fw->done);
	pthread_mutex_unlock(&fw->lock);
	for (; c; c = next) {
		next = c->next;
		lost |= c->lost;
		fw->checking = fw->checking && !c->check;
		if (c->awaited)
			fw->ops->done(c->arg, c->ok, c->why ? c->why : "");
		else if (!c->ok)
			log_err(NULL, "firewall-failed", kv_str("reason", c->why ? c->why : ""));
		talloc_free(c);
	}
	if (lost)
		fw->ops->lost(fw->ops->arg);
	if (fw->again && !fw->checking)
		on_removed(fw);
}

static void free_all(struct changes *list)
{
	struct fw_change *next;

	for (struct fw_change *c = take_all(list); c; c = next) {
		next = c->next;
		talloc_free(c);
	}
}

/* The thread, with the first change.  Signals are for the loop. */
static bool start(struct firewall *fw)
{
	sigset_t all, old;

	if (fw->running)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	fw->running = pthread_create(&fw->thread, NULL, run, fw) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* Without it a removed table is noticed with the next change. */
	if (fw->running && fw_watch_new(fw, fw->loop, on_removed, fw, &fw->watch))
		log_warn(NULL, "firewall-unwatched", kv_err(ERR_SYS));
	return fw->running;
}

/* Removes the table, whether it is there or not. */
void firewall_clear(struct firewall *fw)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text, *why = NULL;

	text = talloc_asprintf(tmp, "add table inet %s\ndelete table inet %s\n", fw->table,
			       fw->table);
	/* A kernel without nftables has no table either. */
	if (text && nft_run(tmp, text, &why))
		log_debug(NULL, "no-firewall", kv_str("reason", why ? why : ""));
	talloc_free(tmp);
}

static int firewall_free(struct firewall *fw)
{
	if (fw->running) {
		pthread_mutex_lock(&fw->lock);
		fw->quit = true;
		pthread_cond_signal(&fw->asked);
		pthread_mutex_unlock(&fw->lock);
		pthread_join(fw->thread, NULL);
	}
	TALLOC_FREE(fw->watch);
	ev_async_stop(fw->loop, &fw->finished);
	free_all(&fw->todo);
	free_all(&fw->done);
	firewall_clear(fw);
	pthread_cond_destroy(&fw->asked);
	pthread_mutex_destroy(&fw->lock);
	return 0;
}

enum err firewall_new(TALLOC_CTX *ctx, struct ev_loop *loop, const char *table,
		      const struct firewall_ops *ops, struct firewall **out)
{
	struct firewall *fw = talloc_zero(ctx, struct firewall);

	if (!fw)
		return ERR_NOMEM;
	fw->loop = loop;
	fw->table = table;
	fw->ops = ops;
	fw->todo.tail = &fw->todo.first;
	fw->done.tail = &fw->done.first;
	if (pthread_mutex_init(&fw->lock, NULL) || pthread_cond_init(&fw->asked, NULL)) {
		talloc_free(fw);
		return ERR_SYS;
	}
	ev_async_init(&fw->finished, on_finished);
	fw->finished.data = fw;
	ev_async_start(loop, &fw->finished);
	talloc_set_destructor(fw, firewall_free);
	*out = fw;
	return ERR_OK;
}

enum err firewall_devices(struct firewall *fw, TALLOC_CTX *ctx, struct strv *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *listing, *query = talloc_asprintf(tmp, "list map inet %s sessions", fw->table);
	enum err err = query ? nft_query(tmp, query, &listing) : ERR_NOMEM;

	if (!err)
		err = fw_rules_devices(ctx, listing, out);
	else if (err == ERR_SYS)
		err = ERR_OK; /* no such table */
	if (out->n) {
		fw->has_table = true;
		/* So that its removal is noticed, also if that was just before. */
		if (start(fw))
			on_removed(fw);
	}
	talloc_free(tmp);
	return err;
}

/* A finished text, child of OWNER, from BUF. */
static enum err take_text(struct buf *buf, char **out)
{
	if (buf->failed)
		return buf->len >= FW_TEXT_MAX / 2 ? ERR_TOO_LONG : ERR_NOMEM;
	*out = talloc_steal(buf->ctx, buf->data);
	return ERR_OK;
}

static enum err write_texts(struct fw_change *c, const char *table, const struct fw_rules *r)
{
	TALLOC_CTX *tmp = talloc_new(c);
	struct buf quick, sure;
	enum err err;

	buf_init(&quick, c, FW_TEXT_MAX);
	buf_init(&sure, c, FW_TEXT_MAX);
	fw_rules_add(tmp, &quick, table, r);
	fw_rules_del(&sure, table, r->device);
	buf_puts(&sure, buf_text(&quick));
	err = take_text(&quick, &c->quick);
	if (!err)
		err = take_text(&sure, &c->sure);
	talloc_free(tmp);
	return err;
}

enum err firewall_add(struct firewall *fw, const struct fw_rules *r, bool replace, void *arg,
		      struct fw_change **out)
{
	struct fw_change *c;
	enum err err;

	if (!fw_device_ok(r->device))
		return ERR_RANGE;
	/* Not a child of FW: memory of one tree is no matter for two threads. */
	c = talloc_zero(NULL, struct fw_change);
	if (!c)
		return ERR_NOMEM;
	err = write_texts(c, fw->table, r);
	if (!err && !start(fw))
		err = ERR_SYS;
	if (err) {
		talloc_free(c);
		return err;
	}
	if (replace)
		c->quick = c->sure;
	c->arg = arg;
	c->awaited = out != NULL;
	if (out)
		*out = c;
	hand_over(fw, c);
	return ERR_OK;
}

void firewall_del(struct firewall *fw, const char *device)
{
	struct fw_change *c = talloc_zero(NULL, struct fw_change);
	struct buf text;

	if (c) {
		buf_init(&text, c, FW_TEXT_MAX);
		fw_rules_del(&text, fw->table, device);
		if (!take_text(&text, &c->quick) && start(fw)) {
			c->sure = c->quick;
			hand_over(fw, c);
			return;
		}
	}
	talloc_free(c);
	log_err(NULL, "firewall-left", kv_str("device", device));
}

void firewall_forget(struct fw_change *change)
{
	change->awaited = false;
}
