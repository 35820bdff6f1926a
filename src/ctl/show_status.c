/* show_status.c - show status. */
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/status.h"
#include "ctl/view.h"

/* The server took the connection and then went away. */
static void print_offline(const struct ctl *ctl)
{
	json_t *o;

	if (!ctl->json) {
		fputs("General info:\n\tStatus: offline\n", ctl->out);
		return;
	}
	o = json_object();
	js_text(o, "Status", "offline");
	js_print(ctl->out, o);
}

/* How many sessions auth remembers; -1: it does not answer. */
static int64_t count_entries(TALLOC_CTX *ctx, const struct ctl *ctl)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	const struct answer *a = show_ask(ctx, ctl, CTL_REQUEST__MSG_SESSIONS, &nothing);

	return a ? (int64_t)a->n_session : -1;
}

int show_status(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *value)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	struct view v = view_of(ctx, ctl);
	struct answer *a;
	int64_t entries;
	enum err err;

	(void)value;
	req.msg_case = CTL_REQUEST__MSG_STATUS;
	req.status = &nothing;
	err = client_ask(ctx, ctl->socket, false, &req, &a);
	if (err == ERR_CLOSED)
		print_offline(ctl);
	if (err || !a->status)
		return EXIT_FAILURE;
	entries = ctl->debug ? count_entries(ctx, ctl) : -1;
	if (ctl->json)
		js_print(ctl->out, status_json(&v, a->status, entries));
	else
		status_print(&v, a->status, entries);
	return EXIT_SUCCESS;
}
