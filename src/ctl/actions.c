/* actions.c - disconnect, terminate, reload, stop (admin.md 6.5). */
#include <stdlib.h>

#include "ctl/show.h"
#include "ctl/text.h"

/* Asks for KIND of whom V means; EXIT_NOT_FOUND when the server found nobody. */
static int act_on(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
		  const struct cmd_value *v)
{
	CtlWho who = CTL_WHO__INIT;
	const struct answer *a;

	if (v->id)
		who.id = v->id;
	else
		who.user = (char *)(uintptr_t)v->text;
	a = show_try(ctx, ctl, kind, &who);
	if (!a)
		return EXIT_FAILURE;
	return a->result == CTL_RESULT__CTL_OK ? EXIT_SUCCESS : EXIT_NOT_FOUND;
}

/* Prints what became of it; a failure that was told already says nothing more. */
static int tell(const struct ctl *ctl, int status, const char *what, const char *name,
		const char *done, const char *verb)
{
	if (status == EXIT_SUCCESS)
		fprintf(ctl->out, "%s '%s' was %s\n", what, name, done);
	else if (status == EXIT_NOT_FOUND)
		fprintf(ctl->out, "could not %s '%s'\n", verb, name);
	return status == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

int act_disconnect_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	int status = act_on(ctx, ctl, CTL_REQUEST__MSG_DISCONNECT, v);

	return tell(ctl, status, "user", v->text, "disconnected", "disconnect user");
}

int act_disconnect_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	int status = act_on(ctx, ctl, CTL_REQUEST__MSG_DISCONNECT, v);

	return tell(ctl, status, "connection ID", v->text, "disconnected", "disconnect ID");
}

int act_terminate_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	int status = act_on(ctx, ctl, CTL_REQUEST__MSG_TERMINATE, v);

	return tell(ctl, status, "user", v->text, "terminated (session invalidated)",
		    "terminate user");
}

int act_terminate_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	int status = act_on(ctx, ctl, CTL_REQUEST__MSG_TERMINATE, v);

	return tell(ctl, status, "connection ID", v->text, "terminated (session invalidated)",
		    "terminate ID");
}

static int act_plain(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
		     const char *done, const char *failed)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	const struct answer *a = show_try(ctx, ctl, kind, &nothing);

	if (!a)
		return EXIT_FAILURE;
	fprintf(ctl->out, "%s\n", a->result ? failed : done);
	for (size_t i = 0; a->done && i < a->done->n_text; i++)
		fprintf(stderr, "%s\n", text_safe(ctx, a->done->text[i]));
	return a->result ? EXIT_FAILURE : EXIT_SUCCESS;
}

int act_reload(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return act_plain(ctx, ctl, CTL_REQUEST__MSG_RELOAD, "Server scheduled to reload",
			 "Error scheduling reload");
}

int act_stop(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return act_plain(ctx, ctl, CTL_REQUEST__MSG_STOP, "Server scheduled to stop",
			 "Error scheduling server stop");
}
