/* show_bans.c - show ip bans, show ip ban points; unban ip. */
#include <stdlib.h>

#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/view.h"
#include "ipc/convert.h"

static json_t *ban_json(const CtlBan *b, bool points, int64_t now)
{
	json_t *o = json_object();
	char text[FMT_TEXT];

	js_text(o, "IP", b->ip);
	if (!points) {
		js_text(o, "Since", fmt_date(b->expires, text));
		js_text(o, "_Since", fmt_interval(b->expires - now, text));
	}
	js_int(o, "Score", b->score);
	return o;
}

/* The remaining time stands behind the last column, as the reference has it. */
static void print_row(const struct view *v, const CtlBan *b, bool points)
{
	char date[FMT_TEXT], left[FMT_TEXT];

	fprintf(v->out, "%15s %10u", b->ip, b->score);
	if (!points)
		fprintf(v->out, " %30s (%s)", fmt_date(b->expires, date),
			fmt_interval(b->expires - v->now, left));
	fputc('\n', v->out);
}

static void print_table(const struct view *v, const struct answer *a, bool points)
{
	bool first = true;

	for (size_t i = 0; i < a->n_ban; i++) {
		if (!points && !a->ban[i]->banned)
			continue;
		if (first)
			fprintf(v->out, points ? "%15s %10s\n" : "%15s %10s %30s\n", "IP", "score",
				"expires");
		print_row(v, a->ban[i], points);
		first = false;
	}
}

/* POINTS: every address with its score; else those that are banned now. */
static int show_table(TALLOC_CTX *ctx, const struct ctl *ctl, bool points)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	const struct answer *a = show_ask(ctx, ctl, CTL_REQUEST__MSG_BANS, &nothing);
	struct js_array list = { .out = ctl->out };
	struct view v = view_of(ctx, ctl);

	if (!a)
		return EXIT_FAILURE;
	if (!ctl->json) {
		print_table(&v, a, points);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < a->n_ban; i++)
		if (points || a->ban[i]->banned)
			js_array_add(&list, ban_json(a->ban[i], points, v.now));
	js_array_end(&list);
	return EXIT_SUCCESS;
}

int show_bans(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return show_table(ctx, ctl, false);
}

int show_ban_points(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)v;
	return show_table(ctx, ctl, true);
}

int act_unban(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	CtlAddr msg = CTL_ADDR__INIT;
	const struct answer *a;

	msg.addr = ipc_addr(&v->addr);
	a = show_ask(ctx, ctl, CTL_REQUEST__MSG_UNBAN, &msg);
	if (!a)
		return EXIT_FAILURE;
	if (a->result) {
		fprintf(ctl->out, "could not unban IP '%s'\n", v->text);
		return EXIT_FAILURE;
	}
	fprintf(ctl->out, "IP '%s' was unbanned\n", v->text);
	return EXIT_SUCCESS;
}
