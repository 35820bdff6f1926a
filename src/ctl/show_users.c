/* show_users.c - show users, user, id, iroutes. */
#include <stdlib.h>
#include <string.h>

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

static void print_json(const struct view *v, const struct answer *a)
{
	struct js_array list = { .out = v->out };

	for (size_t i = 0; i < a->n_user; i++)
		js_array_add(&list, user_json(v, a->user[i]));
	js_array_end(&list);
}

int show_users(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *value)
{
	const struct answer *a = ask_users(ctx, ctl, NULL, 0);
	struct view v = view_of(ctx, ctl);
	struct table *table;

	(void)value;
	if (!a)
		return EXIT_FAILURE;
	if (ctl->json) {
		print_json(&v, a);
		return EXIT_SUCCESS;
	}
	table = user_table(&v);
	for (size_t i = 0; i < a->n_user; i++)
		user_row(&v, table, a->user[i]);
	table_print(table, false);
	return EXIT_SUCCESS;
}

static int show_records(TALLOC_CTX *ctx, const struct ctl *ctl, const struct answer *a)
{
	struct view v = view_of(ctx, ctl);

	if (!a)
		return EXIT_FAILURE;
	if (ctl->json)
		print_json(&v, a);
	else if (a->n_user == 0)
		fputs("user or ID not found\n", ctl->out);
	for (size_t i = 0; !ctl->json && i < a->n_user; i++)
		user_print(&v, a->user[i]);
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

/* ---- iroutes ---- */

/* Who has not connected yet has no networks behind him either. */
static struct answer *ask_connected(TALLOC_CTX *ctx, const struct ctl *ctl)
{
	struct answer *a = ask_users(ctx, ctl, NULL, 0);
	size_t n = 0;

	for (size_t i = 0; a && i < a->n_user; i++)
		if (strcmp(a->user[i]->state, "connected") == 0)
			a->user[n++] = a->user[i];
	if (a)
		a->n_user = n;
	return a;
}

static json_t *iroute_json(const CtlUser *u)
{
	json_t *o = json_object();

	js_int(o, "ID", u->id);
	js_text(o, "Username", user_or_none(u->username));
	js_text(o, "vhost", u->vhost);
	js_text(o, "Device", u->device);
	js_text(o, "IP", user_vpn_ip(u));
	js_list(o, "iRoutes", u->iroute, u->n_iroute);
	return o;
}

static void iroute_rows(struct table *table, const CtlUser *u)
{
	char id[16];
	const char *cell[] = {
		id, user_or_none(u->username), u->vhost, u->device, user_vpn_ip(u), NULL,
	};

	snprintf(id, sizeof id, "%u", u->id);
	for (size_t i = 0; i < u->n_iroute; i++) {
		cell[5] = u->iroute[i];
		table_row(table, cell);
	}
}

static void print_iroutes(const struct view *v, const struct answer *a)
{
	static const struct column col[] = {
		{ "id", 6, 6, 6, 0 },	  { "user", 8, 8, 4, 0 },      { "vhost", 8, 8, 5, 0 },
		{ "device", 6, 6, 6, 0 }, { "vpn-ip", 16, 16, 15, 0 }, { "iroute", 28, 28, 18, 0 },
	};
	struct table *table = table_new(v, col, sizeof col / sizeof col[0]);

	for (size_t i = 0; i < a->n_user; i++)
		iroute_rows(table, a->user[i]);
	table_print(table, a->n_user > 0);
}

int show_iroutes(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *value)
{
	const struct answer *a = ask_connected(ctx, ctl);
	struct js_array list = { .out = ctl->out };
	struct view v = view_of(ctx, ctl);

	(void)value;
	if (!a)
		return EXIT_FAILURE;
	if (!ctl->json) {
		print_iroutes(&v, a);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < a->n_user; i++)
		js_array_add(&list, iroute_json(a->user[i]));
	js_array_end(&list);
	return EXIT_SUCCESS;
}
