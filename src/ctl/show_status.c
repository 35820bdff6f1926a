/* show_status.c - show status. */
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/status.h"

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

int show_status(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	struct answer *a;
	enum err err;

	(void)v;
	req.msg_case = CTL_REQUEST__MSG_STATUS;
	req.status = &nothing;
	err = client_ask(ctx, ctl->socket, false, &req, &a);
	if (err == ERR_CLOSED)
		print_offline(ctl);
	if (err || !a->status)
		return EXIT_FAILURE;
	if (ctl->json)
		js_print(ctl->out, status_json(a->status, clock_unix(), ctl->debug));
	else
		status_print(ctl->out, a->status, clock_unix());
	return EXIT_SUCCESS;
}
