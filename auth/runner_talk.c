/* runner_talk.c - conversations: a runner that belongs to one login, between the questions to its
 * client.
 *
 *	first question --> waits for the client --> next step --> a further question, or
 *			       |		     |		  the verdict: over
 *			       its login ends:	     |
 *			       dismissed	     cancelled: dismissed
 *
 * Who waits for a client keeps no runner from others, so a conversation does not count among the
 * runners of its lane; a limit of its own bounds them. */
#include "auth/runner_pool.h"

#include "base/log.h"

static void append(struct lane *lane, struct runner_talk *t)
{
	t->prev = lane->talk_tail;
	*lane->talk_tail = t;
	lane->talk_tail = &t->next;
}

static void unlink_talk(struct lane *lane, struct runner_talk *t)
{
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		lane->talk_tail = t->prev;
	t->next = NULL;
}

static void detach(struct runner_talk *t)
{
	struct runner *r = t->runner;

	unlink_talk(r->lane, t);
	r->lane->n_talks--;
	r->lane->n_runners++;
	r->talk = NULL;
	t->runner = NULL;
	*t->place = NULL;
}

/* The owner wants no more of it.  A step that is under way is not reported any more. */
static int talk_destroy(struct runner_talk *t)
{
	struct runner *r = t->runner;

	if (!r)
		return 0;
	detach(t);
	if (r->job)
		r->job->runner = NULL;
	r->job = NULL;
	runner_dismiss(r);
	return 0;
}

void talk_over(struct runner *r)
{
	struct runner_talk *t = r->talk;

	if (!t)
		return;
	detach(t);
	talloc_free(t);
}

/* Clients that stopped answering must not keep others from a conversation. */
static bool make_room(struct lane *lane)
{
	struct runner_talk *t = lane->talk;

	if (lane->n_talks < lane->line->pool->limits.talks)
		return true;
	while (t && t->runner->busy)
		t = t->next;
	if (!t)
		return false;
	log_warn(NULL, "conversation-displaced", kv_str("backend", lane->line->backend->name));
	talloc_free(t);
	return true;
}

static enum err talk_begin(struct runner *r, struct runner_job *j)
{
	struct runner_talk *t;

	if (!make_room(r->lane))
		return ERR_EXHAUSTED;
	t = talloc_zero(talloc_parent(j), struct runner_talk);
	if (!t)
		return ERR_NOMEM;
	t->runner = r;
	t->place = j->place;
	*t->place = t;
	r->talk = t;
	append(r->lane, t);
	r->lane->n_talks++;
	r->lane->n_runners--;
	talloc_set_destructor(t, talk_destroy);
	return ERR_OK;
}

enum err talk_asked(struct runner *r)
{
	/* Nobody is there to answer. */
	if (!r->job || !r->job->place)
		return ERR_CLOSED;
	if (!r->talk)
		return talk_begin(r, r->job);
	unlink_talk(r->lane, r->talk);
	append(r->lane, r->talk);
	return ERR_OK;
}
