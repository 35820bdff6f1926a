/* show_sessions.c - show sessions all, sessions valid, session SID; terminate session. */
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/show.h"
#include "ctl/text.h"

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

static void print_json(const struct view *v, SessionRow *const *row, size_t n)
{
	struct js_array list = { .out = v->out };

	for (size_t i = 0; i < n; i++)
		js_array_add(&list, session_json(v, row[i]));
	js_array_end(&list);
}

/* Leaves only the sessions that WANTED says yes to. */
static void filter(struct answer *a, bool (*wanted)(const SessionRow *s, const char *arg),
		   const char *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_session; i++)
		if (wanted(a->session[i], arg))
			a->session[n++] = a->session[i];
	a->n_session = n;
}

static bool is_valid(const SessionRow *s, const char *unused)
{
	(void)unused;
	return session_is_valid(s);
}

static int show_list(TALLOC_CTX *ctx, const struct ctl *ctl, bool valid_only)
{
	struct answer *a = ask_sessions(ctx, ctl);
	struct view v = view_of(ctx, ctl);
	struct table *table;

	if (!a)
		return EXIT_FAILURE;
	if (valid_only)
		filter(a, is_valid, NULL);
	if (ctl->json) {
		print_json(&v, a->session, a->n_session);
		return EXIT_SUCCESS;
	}
	table = session_table(&v);
	for (size_t i = 0; i < a->n_session; i++)
		session_row(&v, table, a->session[i]);
	table_print(table, false);
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

int show_session(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *value)
{
	struct answer *a = ask_sessions(ctx, ctl);
	struct view v = view_of(ctx, ctl);

	if (!a)
		return EXIT_FAILURE;
	filter(a, session_has_prefix, value->text);
	if (ctl->json) {
		print_json(&v, a->session, a->n_session);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < a->n_session; i++)
		session_print(&v, a->session[i]);
	if (a->n_session == 0)
		fputs("Session ID not found or expired\n", ctl->out);
	return EXIT_SUCCESS;
}

/* Says so when a live connection hangs on a session that will be terminated. */
static void warn_of_connections(TALLOC_CTX *ctx, const struct answer *a, const char *sid)
{
	for (size_t i = 0; i < a->n_session; i++) {
		const SessionRow *s = a->session[i];
		if (session_has_prefix(s, sid) && s->in_use)
			fprintf(stderr,
				"warning: session '%.*s' (user: %s) has an active connection; "
				"the connection will not be dropped\n",
				SESSION_SHORT_ID, s->session->sid,
				text_safe(ctx, s->session->user));
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
	warn_of_connections(ctx, a, v->text);
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
