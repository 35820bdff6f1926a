/* explain.c - one user's settings, each with its reason. */
#include "conf/explain.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "conf/build.h"
#include "conf/exposed.h"
#include "conf/guess.h"
#include "conf/origin.h"
#include "conf/types.h"

enum {
	VALUE_MAX = 64 * 1024,
	COLUMN = 40,
	OTHERS_MAX = 500, /* files of others that are searched for iroutes */
	LIST_MAX = 1024,  /* elements of a list that are shown */
};

struct explainer {
	struct conf_explained *e;
	const struct conf *conf;
	const struct host_conf *host;
	struct conf_looked_both looked;
	struct session_conf *session;
	enum err err; /* the first one; later steps do nothing */
};

static __attribute__((format(printf, 2, 3))) void note(struct explainer *x, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = talloc_vasprintf(NULL, fmt, ap);
	va_end(ap);
	if (!x->err)
		x->err = text ? strv_add(x->e, &x->e->note, text) : ERR_NOMEM;
	talloc_free(text);
}

/* ---- where a line stands ------------------------------------------------- */

static bool is_file(const struct conf_looked *l, unsigned result, const char *file)
{
	const char *path = result == CONF_LOOKED_FILE ? l->path : l->fallback;

	return l->result == result && strcmp(path, file) == 0;
}

/* The user whose file FILE is: an iroute of his. */
static const char *owner_of(const struct host_conf *host, const char *file)
{
	size_t len = host->config_per_user ? strlen(host->config_per_user) : 0;

	return len && strncmp(file, host->config_per_user, len) == 0 && file[len] == '/'
		       ? file + len + 1
		       : NULL;
}

static const char *origin_text(struct explainer *x, const struct conf_row *row)
{
	const char *owner;

	if (is_file(&x->looked.user, CONF_LOOKED_FILE, row->file))
		return "user file";
	if (is_file(&x->looked.group, CONF_LOOKED_FILE, row->file))
		return "group file";
	if (is_file(&x->looked.user, CONF_LOOKED_DEFAULT, row->file))
		return "default-user-config";
	if (is_file(&x->looked.group, CONF_LOOKED_DEFAULT, row->file))
		return "default-group-config";
	owner = owner_of(x->host, row->file);
	return owner ? talloc_asprintf(x->e, "iroute of %s", owner) : "configuration file";
}

/* ---- settings ------------------------------------------------------------ */

static void add(struct explainer *x, const struct conf_option *opt, const char *value,
		struct conf_origin why)
{
	struct conf_explained *e = x->e;
	struct conf_setting s = { .option = opt->name, .rule = why.rule ? why.rule : "" };

	e->setting = talloc_realloc(e, e->setting, struct conf_setting, (unsigned)e->n + 1);
	s.value = talloc_strdup(e, value);
	s.origin = why.row ? origin_text(x, why.row) : *value ? "default" : "unset";
	s.file = talloc_strdup(e, why.row ? why.row->file : "");
	s.line = why.row ? why.row->line : 0;
	if (!e->setting || !s.value || !s.origin || !s.file)
		x->err = ERR_NOMEM;
	else
		e->setting[e->n++] = s;
}

static bool in_session(const struct conf_option *opt)
{
	return opt->scope == CONF_SCOPE_USER || opt->scope == CONF_SCOPE_PERUSER;
}

static void add_item(struct explainer *x, const struct conf_option *opt, const void *value,
		     struct conf_origin why)
{
	struct buf b;

	buf_init(&b, NULL, VALUE_MAX);
	opt->type->print(value, &b);
	add(x, opt, buf_text(&b), why);
	talloc_free(b.data);
}

/* WHY has an origin for each element that is shown. */
static void add_list(struct explainer *x, const struct conf_option *opt,
		     const struct conf_any_list *list, const struct conf_origin *why)
{
	for (size_t i = 0; i < list->n && i < LIST_MAX && !x->err; i++)
		add_item(x, opt, (const char *)list->item + i * opt->type->item, why[i]);
	if (list->n > LIST_MAX)
		note(x, "%s: the first %d of %zu are shown", opt->name, LIST_MAX, list->n);
}

static void add_option(struct explainer *x, const struct conf_option *opt)
{
	const void *field = in_session(opt) ? (const char *)x->session + opt->session_offset
					    : (const char *)x->host + opt->offset;
	struct conf_any_list list = { NULL, 1 };
	struct conf_origin why[LIST_MAX];
	size_t n;

	if (opt->type->item)
		memcpy(&list, field, sizeof(list));
	n = list.n > LIST_MAX ? LIST_MAX : list.n ? list.n : 1;
	if (in_session(opt))
		conf_session_origins(x->conf, x->session, opt, why, n);
	else
		conf_origins_of(x->conf, x->host, opt, why, n);
	if (opt->id == CONF_OPT_route && x->session->default_route)
		add(x, opt, "default", conf_default_route_origin(x->conf, x->session));
	else if (!opt->type->item)
		add_item(x, opt, field, *why);
	else if (!list.n)
		add(x, opt, "", *why);
	else
		add_list(x, opt, &list, why);
}

/* What concerns a session: not the server's options, nor keys and methods, which are start-only. */
static void add_settings(struct explainer *x)
{
	for (size_t i = 0; i < CONF_OPT_COUNT && !x->err; i++) {
		const struct conf_option *opt = &conf_options[i];

		if (in_session(opt) ||
		    (opt->scope == CONF_SCOPE_VHOST && (opt->flags & CONF_RELOAD)))
			add_option(x, opt);
	}
}

/* ---- reading ------------------------------------------------------------- */

static void note_looked(struct explainer *x, const char *what, const struct conf_looked *l)
{
	switch (l->result) {
	case CONF_LOOKED_NOT:
		break;
	case CONF_LOOKED_NONE:
		note(x, "%s file: there is no %s", what, l->path);
		break;
	case CONF_LOOKED_FILE:
		note(x, "%s file: %s", what, l->path);
		break;
	case CONF_LOOKED_DEFAULT:
		note(x, "%s file: %s (default-%s-config), because there is no %s", what,
		     l->fallback, what, l->path);
		break;
	}
}

static void keep_problems(struct explainer *x, const struct conf_report *report)
{
	for (size_t i = 0; i < report->n && !x->err; i++) {
		char *text = conf_problem_text(NULL, &report->item[i]);

		x->err = text ? strv_add(x->e, &x->e->problem, text) : ERR_NOMEM;
		talloc_free(text);
	}
}

/* As auth/open.c does it, but for what a back end grants. */
static enum err read_session(struct explainer *x, TALLOC_CTX *tmp, struct conf_report *report)
{
	struct conf_exposed exposed = { 0 };
	struct conf_rows rows = { 0 };
	enum err err =
		conf_user_rows(tmp, x->host, x->e->user, x->e->group, report, &x->looked, &rows);

	/* A fault in another's file keeps the server from loading, not this session. */
	if (!err && conf_exposed_read(tmp, x->host, OTHERS_MAX, NULL, &exposed))
		exposed.n = 0;
	if (!err)
		err = conf_exposed_add(tmp, x->host, &exposed, x->e->user, &rows);
	if (!err)
		err = conf_session_new(tmp, x->host, &rows, report, &x->session);
	return err;
}

static void explain(struct explainer *x)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_report *report = conf_report_new(tmp);
	enum err err = report ? read_session(x, tmp, report) : ERR_NOMEM;

	if (report)
		keep_problems(x, report);
	note_looked(x, "group", &x->looked.group);
	note_looked(x, "user", &x->looked.user);
	if (x->host->radius_groupconfig)
		note(x, "the RADIUS server sends this user's settings at the login (groupconfig); "
			"they replace those shown here, which are the host's");
	if (x->host->expose_iroutes)
		note(x, "expose-iroutes: the networks of others are those of their files now; the "
			"server uses those of its last reload");
	x->e->refused = err == ERR_CONF;
	if (err && err != ERR_CONF)
		x->err = err;
	else if (!err && !x->err)
		add_settings(x);
	talloc_free(tmp);
}

static const struct host_conf *find_host(const struct conf *conf, const char *vhost)
{
	const struct host_conf *host = conf_host(conf, vhost);

	if (!vhost || strcmp(vhost, "default") == 0)
		return conf->host[0];
	return host->is_default ? NULL : host;
}

static void take_question(struct explainer *x, const struct conf_question *q)
{
	x->e->user = talloc_strdup(x->e, q->user);
	x->e->vhost = talloc_strdup(x->e, x->host->name);
	x->e->group = q->group ? talloc_strdup(x->e, q->group) : NULL;
	if (!q->group && x->e->user)
		x->err = conf_guess_group(x->e, x->host, q->user, &x->e->note, &x->e->group);
	if (!x->e->user || !x->e->vhost || !x->e->group)
		x->err = ERR_NOMEM;
}

enum err conf_explain(TALLOC_CTX *ctx, const struct conf *conf, const struct conf_question *q,
		      struct conf_explained **out)
{
	struct explainer x = { .conf = conf, .host = find_host(conf, q->vhost) };

	if (!x.host)
		return ERR_NOT_FOUND;
	x.e = talloc_zero(ctx, struct conf_explained);
	if (!x.e)
		return ERR_NOMEM;
	take_question(&x, q);
	if (!x.err)
		explain(&x);
	if (x.err)
		talloc_free(x.e);
	else
		*out = x.e;
	return x.err;
}

/* ---- printing ------------------------------------------------------------ */

static void print_setting(const struct conf_setting *s, FILE *out)
{
	bool hidden = strcmp(s->value, CONF_HIDDEN) == 0;
	int n = fprintf(out, "%s%s =%s%s", hidden || !*s->value ? "#" : "", s->option,
			*s->value ? " " : "", s->value);

	if (n < COLUMN)
		fprintf(out, "%*s", COLUMN - n, "");
	fprintf(out, " # %s%s%s", s->rule, *s->rule ? ": " : "", s->origin);
	if (s->line)
		fprintf(out, ", %s:%u", s->file, s->line);
	fputc('\n', out);
}

void conf_explain_print(const struct conf_explained *e, FILE *out)
{
	fprintf(out, "# What user '%s' %s%s%s gets on host %s, and why.\n", e->user,
		*e->group ? "in group '" : "without a group", e->group, *e->group ? "'" : "",
		e->vhost);
	for (size_t i = 0; i < e->note.n; i++)
		fprintf(out, "# %s\n", e->note.item[i]);
	if (e->refused)
		fprintf(out, "# Nothing: the session would be refused.\n");
	for (size_t i = 0; i < e->problem.n; i++)
		fprintf(out, "# %s\n", e->problem.item[i]);
	for (size_t i = 0; i < e->n; i++)
		print_setting(&e->setting[i], out);
}
