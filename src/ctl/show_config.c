/* show_config.c - show config user: the running configuration as one user gets it, each value with
 * where it comes from. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "ctl/view.h"

enum { COLUMN = 40 };

/* Takes " WORD NAME" off the end of TEXT, so that user names may have blanks; NAME or "". */
static char *take_last(char *text, const char *word)
{
	char *name = strrchr(text, ' '), *at = name;

	if (!name)
		return text + strlen(text);
	while (at > text && at[-1] == ' ')
		at--;
	at -= strlen(word);
	if (at <= text || at[-1] != ' ' || strncasecmp(at, word, strlen(word)) != 0)
		return text + strlen(text);
	while (at > text && at[-1] == ' ')
		*--at = '\0';
	return name + 1;
}

/* "NAME [group G] [vhost H]", in either order. */
static void read_question(char *text, CtlConfigOf *of)
{
	for (int i = 0; i < 2; i++) {
		if (!*of->vhost)
			of->vhost = take_last(text, "vhost");
		if (!*of->group)
			of->group = take_last(text, "group");
	}
	of->user = text;
}

/* ---- for people ---------------------------------------------------------- */

static const char *reason_of(TALLOC_CTX *ctx, const CtlSetting *s)
{
	const char *line =
		s->line ? talloc_asprintf(ctx, ", %s:%u", text_safe(ctx, s->file), s->line) : "";

	return talloc_asprintf(ctx, "# %s%s%s%s", s->rule, *s->rule ? ": " : "", s->origin, line);
}

/* As in the file, with the reason as its comment: behind it, or below on a narrow terminal. */
static void print_setting(const struct view *v, const CtlSetting *s)
{
	bool set = *s->value && strcmp(s->value, "(set, not shown)") != 0;
	const char *reason = reason_of(v->ctx, s);
	char *text = talloc_asprintf(v->ctx, "%s%s =%s%s", set ? "" : "#", s->option,
				     *s->value ? " " : "", text_safe(v->ctx, s->value));
	size_t width = text && reason ? text_width(text) : 0,
	       column = width < COLUMN ? COLUMN : width;

	if (!width)
		return;
	if (v->width && column + 1 + text_width(reason) > v->width)
		fprintf(v->out, "%s\n    %s\n", text, reason);
	else
		fprintf(v->out, "%s%*s %s\n", text, (int)(column - width), "", reason);
}

static void print_text(TALLOC_CTX *ctx, const struct ctl *ctl, const struct answer *a)
{
	const CtlConfig *c = a->config;
	struct view v = view_of(ctx, ctl);

	fprintf(ctl->out, "# user: %s\n# group: %s\n# vhost: %s\n", text_safe(ctx, c->user),
		*c->group ? text_safe(ctx, c->group) : "(none)", c->vhost);
	for (size_t i = 0; i < c->n_note; i++)
		fprintf(ctl->out, "# %s\n", text_safe(ctx, c->note[i]));
	if (c->refused)
		fputs("# Nothing: the session would be refused.\n", ctl->out);
	for (size_t i = 0; i < c->n_problem; i++)
		fprintf(ctl->out, "# %s\n", text_safe(ctx, c->problem[i]));
	for (size_t i = 0; i < a->n_setting; i++)
		print_setting(&v, a->setting[i]);
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *setting_json(const CtlSetting *s)
{
	json_t *o = json_object();

	js_text(o, "Option", s->option);
	js_text(o, "Value", s->value);
	js_text(o, "Rule", s->rule);
	js_text(o, "Origin", s->origin);
	if (s->line) {
		js_text(o, "File", s->file);
		js_int(o, "Line", s->line);
	}
	return o;
}

static void print_json(const struct ctl *ctl, const struct answer *a)
{
	const CtlConfig *c = a->config;
	json_t *o = json_object(), *list = json_array();

	js_text(o, "Username", c->user);
	js_text(o, "Groupname", c->group);
	js_text(o, "vhost", c->vhost);
	json_object_set_new(o, "Refused", json_boolean(c->refused));
	js_list(o, "Notes", c->note, c->n_note);
	js_list(o, "Problems", c->problem, c->n_problem);
	for (size_t i = 0; i < a->n_setting; i++)
		json_array_append_new(list, setting_json(a->setting[i]));
	json_object_set_new(o, "Settings", list);
	js_print(ctl->out, o);
}

int show_config(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	CtlConfigOf of = CTL_CONFIG_OF__INIT;
	const struct answer *a;
	char *text = talloc_strdup(ctx, v->text);

	if (!text)
		return EXIT_FAILURE;
	read_question(text, &of);
	a = show_try(ctx, ctl, CTL_REQUEST__MSG_CONFIG, &of);
	if (!a)
		return EXIT_FAILURE;
	if (!a->config) {
		fprintf(stderr, "the running configuration has no virtual host '%s'\n", of.vhost);
		return a->result == CTL_RESULT__CTL_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILURE;
	}
	if (ctl->json)
		print_json(ctl, a);
	else
		print_text(ctx, ctl, a);
	return a->config->refused ? EXIT_FAILURE : EXIT_SUCCESS;
}
