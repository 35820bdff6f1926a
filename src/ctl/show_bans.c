/* show_bans.c - show ip bans, show ip ban points; unban ip. */
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/show.h"
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

static void print_header(FILE *out, bool points)
{
	if (points)
		fprintf(out, "%15s %10s\n", "IP", "score");
	else
		fprintf(out, "%15s %10s %30s\n", "IP", "score", "expires");
}

static void print_row(FILE *out, const CtlBan *b, bool points, int64_t now)
{
	char date[FMT_TEXT], left[FMT_TEXT], expires[2 * FMT_TEXT + 4];

	if (points) {
		fprintf(out, "%15s %10u\n", b->ip, b->score);
		return;
	}
	snprintf(expires, sizeof expires, "%s (%s)", fmt_date(b->expires, date),
		 fmt_interval(b->expires - now, left));
	fprintf(out, "%15s %10u %30s\n", b->ip, b->score, expires);
}

/* POINTS: every address with its score; else those that are banned now. */
static int show_table(TALLOC_CTX *ctx, const struct ctl *ctl, bool points)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	const struct answer *a = show_ask(ctx, ctl, CTL_REQUEST__MSG_BANS, &nothing);
	int64_t now = clock_unix();
	bool first = true;
	json_t *list;

	if (!a)
		return EXIT_FAILURE;
	list = json_array();
	for (size_t i = 0; i < a->n_ban; i++) {
		if (!points && !a->ban[i]->banned)
			continue;
		if (ctl->json) {
			json_array_append_new(list, ban_json(a->ban[i], points, now));
			continue;
		}
		if (first)
			print_header(ctl->out, points);
		print_row(ctl->out, a->ban[i], points, now);
		first = false;
	}
	if (ctl->json)
		js_print(ctl->out, json_incref(list));
	json_decref(list);
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
