/* show_sessions.c - show sessions all, sessions valid, session SID; terminate session. */
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/show.h"

static struct answer *ask_sessions(TALLOC_CTX *ctx, const struct ctl *ctl)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	struct answer *a = show_ask(ctx, ctl, CTL_REQUEST__MSG_SESSIONS, &nothing);
	size_t n = 0;

	/* A row without its session can only come from a server of another version. */
	for (size_t i = 0; a && i < a->n_session; i++)
		if (a->session[i]->session)
			a->session[n++] = a->session[i];
	if (a)
		a->n_session = n;
	return a;
}

static int show_list(TALLOC_CTX *ctx, const struct ctl *ctl, bool valid_only)
{
	const struct answer *a = ask_sessions(ctx, ctl);
	json_t *list;
	bool first = true;

	if (!a)
		return EXIT_FAILURE;
	list = json_array();
	for (size_t i = 0; i < a->n_session; i++) {
		if (valid_only && !session_is_valid(a->session[i]))
			continue;
		if (ctl->json) {
			json_array_append_new(list, session_json(a->session[i]));
			continue;
		}
		if (first)
			session_print_header(ctl->out);
		session_print_row(ctx, ctl->out, a->session[i], clock_unix());
		first = false;
	}
	if (ctl->json)
		js_print(ctl->out, json_incref(list));
	json_decref(list);
	return EXIT_SUCCESS;
}

int show_sessions_all(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return show_list(ctx, ctl, false);
}

int show_sessions_valid(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return show_list(ctx, ctl, true);
}

int show_session(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	const struct answer *a = ask_sessions(ctx, ctl);
	json_t *list;
	size_t found = 0;

	if (!a)
		return EXIT_FAILURE;
	list = json_array();
	for (size_t i = 0; i < a->n_session; i++) {
		if (!session_has_prefix(a->session[i], v->text))
			continue;
		found++;
		if (ctl->json)
			json_array_append_new(list, session_json(a->session[i]));
		else
			session_print(ctx, ctl->out, a->session[i]);
	}
	if (ctl->json)
		js_print(ctl->out, json_incref(list));
	else if (!found)
		fputs("Session ID not found or expired\n", ctl->out);
	json_decref(list);
	return EXIT_SUCCESS;
}

/* Says so when a live connection hangs on a session that will be terminated. */
static void warn_of_connections(const struct answer *a, const char *sid)
{
	for (size_t i = 0; i < a->n_session; i++) {
		const SessionRow *s = a->session[i];
		if (session_has_prefix(s, sid) && s->in_use)
			fprintf(stderr,
				"warning: session '%.*s' (user: %s) has an active connection; "
				"the connection will not be dropped\n",
				SESSION_SHORT_ID, s->session->sid, s->session->user);
	}
}

int act_terminate_session(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	CtlWho who = CTL_WHO__INIT;
	const struct answer *a;

	if (!session_is_id(v->text)) {
		fputs("invalid session ID\n", ctl->out);
		return EXIT_FAILURE;
	}
	a = ask_sessions(ctx, ctl);
	if (!a)
		return EXIT_FAILURE;
	warn_of_connections(a, v->text);
	who.sid = (char *)(uintptr_t)v->text;
	a = show_ask(ctx, ctl, CTL_REQUEST__MSG_TERMINATE, &who);
	if (!a)
		return EXIT_FAILURE;
	switch (a->result) {
	case CTL_RESULT__CTL_OK:
		fprintf(ctl->out, "session '%s' was terminated\n", v->text);
		return EXIT_SUCCESS;
	case CTL_RESULT__CTL_AMBIGUOUS:
		fprintf(ctl->out, "ambiguous session ID '%s' matches %zu sessions:\n", v->text,
			a->done->n_sid);
		for (size_t i = 0; i < a->done->n_sid; i++)
			fprintf(ctl->out, "  %s\n", a->done->sid[i]);
		fputs("use the full session ID, or a longer part of it\n", ctl->out);
		return EXIT_FAILURE;
	default:
		fprintf(ctl->out, "no session matching '%s' was found\n", v->text);
		return EXIT_FAILURE;
	}
}
