/* show_users.c - show users, user, id, iroutes. */
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/user.h"

struct answer *show_try(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
			void *field)
{
	CtlRequest req = CTL_REQUEST__INIT;
	struct answer *a;

	req.msg_case = kind;
	req.status = field; /* all members of the union are message pointers */
	return client_ask(ctx, ctl->socket, false, &req, &a) ? NULL : a;
}

struct answer *show_ask(TALLOC_CTX *ctx, const struct ctl *ctl, CtlRequest__MsgCase kind,
			void *field)
{
	struct answer *a = show_try(ctx, ctl, kind, field);

	if (!a || a->result != CTL_RESULT__CTL_FAILED)
		return a;
	fputs("the server cannot answer now; try again in a moment\n", stderr);
	talloc_free(a);
	return NULL;
}

static struct answer *ask_users(TALLOC_CTX *ctx, const struct ctl *ctl, const char *user,
				uint32_t id)
{
	CtlWho who = CTL_WHO__INIT;

	if (user)
		who.user = (char *)(uintptr_t)user;
	who.id = id;
	return show_ask(ctx, ctl, CTL_REQUEST__MSG_USERS, &who);
}

static void print_json(TALLOC_CTX *ctx, const struct ctl *ctl, const struct answer *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_user; i++)
		json_array_append_new(list, user_json(ctx, a->user[i], clock_unix()));
	js_print(ctl->out, list);
}

int show_users(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	struct answer *a = ask_users(ctx, ctl, NULL, 0);

	(void)v;
	if (!a)
		return EXIT_FAILURE;
	if (ctl->json) {
		print_json(ctx, ctl, a);
		return EXIT_SUCCESS;
	}
	if (a->n_user)
		user_print_header(ctl->out);
	for (size_t i = 0; i < a->n_user; i++)
		user_print_row(ctx, ctl->out, a->user[i], clock_unix());
	return EXIT_SUCCESS;
}

static int show_records(TALLOC_CTX *ctx, const struct ctl *ctl, const struct answer *a)
{
	if (!a)
		return EXIT_FAILURE;
	if (ctl->json)
		print_json(ctx, ctl, a);
	else if (a->n_user == 0)
		fputs("user or ID not found\n", ctl->out);
	for (size_t i = 0; !ctl->json && i < a->n_user; i++)
		user_print(ctx, ctl->out, a->user[i], clock_unix());
	return a->n_user ? EXIT_SUCCESS : EXIT_NOT_FOUND;
}

int show_user(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	return show_records(ctx, ctl, ask_users(ctx, ctl, v->text, 0));
}

int show_id(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	return show_records(ctx, ctl, ask_users(ctx, ctl, NULL, v->id));
}

static json_t *iroute_json(const CtlUser *u)
{
	json_t *o = json_object();

	js_int(o, "ID", u->id);
	js_text(o, "Username", u->username);
	js_text(o, "vhost", u->vhost);
	js_text(o, "Device", u->device);
	js_text(o, "IP", user_vpn_ip(u));
	js_list(o, "iRoutes", u->iroute, u->n_iroute);
	return o;
}

static void print_iroutes(TALLOC_CTX *ctx, FILE *out, const CtlUser *u)
{
	for (size_t i = 0; i < u->n_iroute; i++)
		fprintf(out, "%6u %8s %8s %6s %16s %28s\n", u->id, fmt_safe(ctx, u->username),
			u->vhost, u->device, user_vpn_ip(u), fmt_safe(ctx, u->iroute[i]));
}

int show_iroutes(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	struct answer *a = ask_users(ctx, ctl, NULL, 0);
	json_t *list = json_array();

	(void)v;
	if (a && !ctl->json && a->n_user)
		fprintf(ctl->out, "%6s %8s %8s %6s %16s %28s\n", "id", "user", "vhost", "device",
			"vpn-ip", "iroute");
	for (size_t i = 0; a && i < a->n_user; i++) {
		if (ctl->json)
			json_array_append_new(list, iroute_json(a->user[i]));
		else
			print_iroutes(ctx, ctl->out, a->user[i]);
	}
	if (a && ctl->json)
		js_print(ctl->out, json_incref(list));
	json_decref(list);
	return a ? EXIT_SUCCESS : EXIT_FAILURE;
}
