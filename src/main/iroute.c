/* iroute.c - route commands of a session. */
#include "main/iroute.h"

#include "base/log.h"
#include "main/hook_env.h"
#include "main/script.h"

/* Child of the session while its tunnel is there. */
struct iroutes {
	size_t added; /* of the session's list, in its order */
	void (*done)(struct session *s, bool ok);
};

/* Runs TEMPLATE for ROUTE; DONE as in script_run. */
static void run(struct session *s, enum script which, const char *template,
		const struct conf_route *route, void (*done)(struct session *s, bool ok))
{
	char *command = NULL;

	if (hook_expand_route(s, template, route, s->device, &command)) {
		log_err(&s->log, "bad-route-command", kv_str("command", template));
		if (done)
			done(s, false);
		return;
	}
	log_debug(&s->log, "route-command", kv_str("command", command));
	script_command(s, which, command, done);
	talloc_free(command);
}

static void finish(struct session *s, bool ok)
{
	if (!ok)
		iroutes_del(s);
	s->iroutes->done(s, ok);
}

static void add_next(struct session *s);

static void on_added(struct session *s, bool ok)
{
	const struct conf_route *route = &s->conf->iroute.item[s->iroutes->added];

	if (!ok) {
		log_err(&s->log, "iroute-refused", kv_str("route", route->text));
		finish(s, false);
		return;
	}
	s->iroutes->added++;
	add_next(s);
}

static void add_next(struct session *s)
{
	const struct conf_routes *list = &s->conf->iroute;
	size_t i = s->iroutes->added;

	if (i < list->n)
		run(s, SCRIPT_CONNECT, s->m->conf->route_add_cmd, &list->item[i], on_added);
	else
		finish(s, true);
}

void iroutes_add(struct session *s, void (*done)(struct session *s, bool ok))
{
	const char *command = s->m->conf->route_add_cmd;

	TALLOC_FREE(s->iroutes);
	s->iroutes = talloc_zero(s, struct iroutes);
	if (!s->iroutes) {
		done(s, false);
		return;
	}
	s->iroutes->done = done;
	if (s->conf->iroute.n && (!command || !*command)) {
		log_warn(&s->log, "no-route-add-cmd", kv_u64("iroutes", s->conf->iroute.n));
		done(s, true);
		return;
	}
	add_next(s);
}

/* A main that took the session over was not told how many were added: a tunnel that is up has all
 * of them. */
void iroutes_del(struct session *s)
{
	const char *command = s->m->conf->route_del_cmd;
	size_t n = s->iroutes ? s->iroutes->added : s->conf->iroute.n;

	if (s->iroutes)
		s->iroutes->added = 0;
	for (size_t i = n; command && *command && i-- > 0;)
		run(s, SCRIPT_DISCONNECT, command, &s->conf->iroute.item[i], NULL);
}
