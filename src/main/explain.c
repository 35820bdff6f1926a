/* explain.c - what conf/explain.h finds, as messages to occtl. */
#include "main/explain.h"

#include <string.h>

#include "base/log.h"
#include "conf/explain.h"
#include "main/control.h"
#include "main/ctx.h"

/* Settings in one reply: as many as fit with room to spare. */
enum { BATCH = 64, BATCH_BYTES = 256 * 1024 };

/* Protobuf-c has no const. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void pack(const struct conf_setting *from, CtlSetting *to)
{
	ctl_setting__init(to);
	to->option = text(from->option);
	to->value = text(from->value);
	to->rule = text(from->rule);
	to->origin = text(from->origin);
	to->file = text(from->file);
	to->line = from->line;
}

static void send_head(struct main_ctx *m, uint64_t req, const struct conf_explained *e)
{
	CtlConfig msg = CTL_CONFIG__INIT;

	msg.user = text(e->user);
	msg.group = text(e->group);
	msg.vhost = text(e->vhost);
	msg.refused = e->refused;
	msg.note = e->note.item;
	msg.n_note = e->note.n;
	msg.problem = e->problem.item;
	msg.n_problem = e->problem.n;
	control_reply_config(m->control, req, &msg);
}

/* The settings from number FIRST on that make one reply; their number. */
static size_t send_some(struct main_ctx *m, uint64_t req, const struct conf_explained *e,
			size_t first)
{
	CtlConfig msg = CTL_CONFIG__INIT;
	CtlSetting row[BATCH], *list[BATCH];
	size_t n = 0, bytes = 0;

	while (n < BATCH && first + n < e->n && bytes < BATCH_BYTES) {
		pack(&e->setting[first + n], &row[n]);
		bytes += strlen(row[n].value);
		list[n] = &row[n];
		n++;
	}
	msg.setting = list;
	msg.n_setting = n;
	control_reply_config(m->control, req, &msg);
	return n;
}

void explain_user(void *arg, uint64_t req, const CtlConfigOf *of)
{
	struct main_ctx *m = arg;
	const struct conf_question q = { .user = of->user,
					 .group = *of->group ? of->group : NULL,
					 .vhost = *of->vhost ? of->vhost : NULL };
	struct conf_explained *e = NULL;
	enum err err = conf_explain(m, m->conf, &q, &e);

	if (err) {
		if (err != ERR_NOT_FOUND)
			log_err(NULL, "config-not-shown", kv_err(err));
		control_done(m->control, req,
			     err == ERR_NOT_FOUND ? CTL_RESULT__CTL_NOT_FOUND
						  : CTL_RESULT__CTL_FAILED);
		return;
	}
	send_head(m, req, e);
	for (size_t i = 0; i < e->n;)
		i += send_some(m, req, e, i);
	control_done(m->control, req, CTL_RESULT__CTL_OK);
	talloc_free(e);
}
