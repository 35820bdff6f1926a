/* reload_wait.c - remembers who asked for a reload, and what was said about it. */
#include "main/reload_wait.h"

#include "main/control.h"

enum {
	WAITING_MAX = 64, /* occtl runs; further ones are answered at once that it failed */
	LINES_MAX = 100,  /* what fits into one message with room to spare */
};

struct reload_wait {
	struct main_ctx *m;
	bool active;
	uint64_t req[WAITING_MAX];
	unsigned n_now, n; /* the first n_now wait for the one under way */
	char **line;
	unsigned n_line;
};

enum err reload_wait_new(struct main_ctx *m, struct reload_wait **out)
{
	struct reload_wait *w = talloc_zero(m, struct reload_wait);

	if (!w)
		return ERR_NOMEM;
	w->m = m;
	*out = w;
	return ERR_OK;
}

void reload_wait_add(struct reload_wait *w, uint64_t req)
{
	if (w->n < WAITING_MAX)
		w->req[w->n++] = req;
	else
		control_done(w->m->control, req, CTL_RESULT__CTL_FAILED);
}

void reload_wait_begin(struct reload_wait *w)
{
	MainReload reload = MAIN_RELOAD__INIT;

	w->active = true;
	w->n_now = w->n;
	TALLOC_FREE(w->line);
	w->n_line = 0;
	reload.begins = true;
	main_tell_super(w->m, TO_SUPER__MSG_RELOAD, &reload, -1);
}

void reload_wait_say(struct reload_wait *w, const char *text)
{
	char **line;

	if (!w->active || w->n_line >= LINES_MAX)
		return;
	line = talloc_realloc(w, w->line, char *, w->n_line + 1);
	if (!line)
		return;
	w->line = line;
	line[w->n_line] = talloc_strdup(line, text);
	w->n_line += line[w->n_line] != NULL;
}

void reload_wait_end(struct reload_wait *w, bool ok)
{
	MainReload reload = MAIN_RELOAD__INIT;

	if (!w->active)
		return;
	w->active = false;
	for (unsigned i = 0; i < w->n_now && w->m->control; i++)
		control_done_text(w->m->control, w->req[i],
				  ok ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_FAILED, w->line,
				  w->n_line);
	for (unsigned i = w->n_now; i < w->n; i++)
		w->req[i - w->n_now] = w->req[i];
	w->n -= w->n_now;
	w->n_now = 0;
	main_tell_super(w->m, TO_SUPER__MSG_RELOAD, &reload, -1);
}
