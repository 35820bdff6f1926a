/* hosts.c - configuration rows become hosts with keys and login policies. */
#include "auth/hosts.h"

#include <string.h>

#include "auth/profile.h"
#include "base/log.h"
#include "conf/auth_rules.h"

/* ---- methods -------------------------------------------------------------- */

static enum err copy_options(TALLOC_CTX *ctx, const struct conf_auth *line,
			     struct backend_pairs *out)
{
	out->item = talloc_array(ctx, struct backend_pair, (unsigned)line->n_sub);
	if (!out->item)
		return ERR_NOMEM;
	for (; out->n < line->n_sub; out->n++)
		out->item[out->n] =
			(struct backend_pair){ line->sub[out->n].key, line->sub[out->n].value };
	return ERR_OK;
}

/* A server that ignored a part of how to authenticate would be an open door, one that did not start
 * could serve nobody: so it starts, and this way in stays shut. */
static enum err cannot(struct login_method *m, const char *name, const char *why)
{
	m->missing = true;
	log_err(NULL, "auth-method-missing", kv_str("method", name), kv_str("reason", why),
		kv_text("logins that need this method are refused"));
	return ERR_OK;
}

/* What the runner will do with a line for every job. */
static enum err try_open(TALLOC_CTX *ctx, const struct auth_backend *backend,
			 const struct backend_pairs *options, enum backend_work_kind use,
			 const char **why)
{
	void *conf;
	enum err err = backend->open(ctx, options, &conf, why);

	if (!err && backend->check)
		err = backend->check(ctx, conf, use, why);
	if (!err && use == WORK_STEP && backend->remark)
		backend->remark(conf);
	return err;
}

/* Adds one line to the method that it is a part of; there is room. */
static enum err add_line(TALLOC_CTX *ctx, const struct conf_auth *line, struct login_method *m,
			 const char **why)
{
	struct login_factor *f = m->factor;
	enum err err;

	if (line->method == CONF_METHOD_CERTIFICATE) {
		m->certificate = true;
		return ERR_OK;
	}
	if (f->backend)
		f++;
	f->backend = backend_find(line->name);
	if (!f->backend)
		return cannot(m, line->name, "this build does not have it");
	err = copy_options(ctx, line, &f->options);
	if (!err)
		err = try_open(ctx, f->backend, &f->options, WORK_STEP, why);
	return err == ERR_UNSUPPORTED ? cannot(m, line->name, *why) : err;
}

/* One-time passwords are asked for last, in whatever order the lines are: the first factor has to
 * know the user. */
static enum err add_primary(TALLOC_CTX *ctx, const struct conf_auths *lines, struct login_method *m,
			    const char **why)
{
	const struct conf_auth *misfit = conf_auth_misfit(lines);
	enum err err = ERR_OK;

	if (misfit) {
		*why = talloc_asprintf(ctx,
				       "you cannot mix multiple authentication methods of %s type",
				       misfit->name);
		return ERR_CONF;
	}
	for (int codes = 0; codes < 2; codes++)
		for (size_t i = 0; !err && i < lines->n; i++)
			if (conf_auth_is_code(&lines->item[i]) == codes)
				err = add_line(ctx, &lines->item[i], m, why);
	return err;
}

enum err hosts_methods(TALLOC_CTX *ctx, const struct conf_auths *primary,
		       const struct conf_auths *alternatives, const struct login_method **out,
		       size_t *n, const char **why)
{
	struct login_method *m =
		talloc_zero_array(ctx, struct login_method, (unsigned)(alternatives->n + 1));
	enum err err = m ? add_primary(ctx, primary, &m[0], why) : ERR_NOMEM;

	for (size_t i = 0; !err && i < alternatives->n; i++)
		err = add_line(ctx, &alternatives->item[i], &m[i + 1], why);
	if (err)
		return err;
	if (!primary->n) {
		*why = talloc_strdup(ctx, "no authentication method was specified!");
		return ERR_CONF;
	}
	*out = m;
	*n = alternatives->n + 1;
	return ERR_OK;
}

/* As with logins: a method that is missing refuses tunnels, not the start. */
static enum err make_acct(TALLOC_CTX *ctx, const struct conf_auth *line, struct acct_method *out,
			  const char **why)
{
	const struct auth_backend *backend = line->name ? backend_find(line->name) : NULL;
	enum err err;

	out->wanted = line->name;
	if (!line->name)
		return ERR_OK;
	if (!backend || !backend->accounts) {
		log_err(NULL, "acct-method-missing", kv_str("method", line->name),
			kv_text("tunnels of hosts with this accounting are refused"));
		return ERR_OK;
	}
	out->backend = backend;
	err = copy_options(ctx, line, &out->options);
	return err ? err : try_open(ctx, backend, &out->options, WORK_ACCOUNT, why);
}

/* ---- policies ------------------------------------------------------------- */

static enum err make_groups(TALLOC_CTX *ctx, const struct host_conf *conf, struct group_list *out)
{
	struct group_entry *item =
		talloc_array(ctx, struct group_entry, (unsigned)conf->select_group.n);

	if (!item)
		return ERR_NOMEM;
	for (size_t i = 0; i < conf->select_group.n; i++)
		item[i] = (struct group_entry){ conf->select_group.item[i].name,
						conf->select_group.item[i].label };
	*out = (struct group_list){ item, conf->select_group.n, conf->default_select_group };
	return ERR_OK;
}

static void add_error(struct keys_report *report, TALLOC_CTX *ctx, const char *vhost,
		      const char *why)
{
	char *text = talloc_asprintf(ctx, "vhost:%s: %s", vhost, why);

	if (!text || strv_add(report->ctx, &report->error, text))
		log_err(NULL, "conf-error", kv_text(why));
}

static enum err make_policy(TALLOC_CTX *ctx, const struct conf *conf, const struct host_conf *host,
			    struct keys_report *report, struct login_policy *p)
{
	const char *why = NULL;
	enum err err = hosts_methods(ctx, &host->auth, &host->enable_auth, &p->method,
				     &p->n_methods, &why);

	if (err == ERR_CONF)
		add_error(report, ctx, host->name, why ? why : err_text(err));
	if (err)
		return err;
	p->vhost = host->name;
	p->auto_groups = host->auto_select_group;
	p->second_cert = host->multiple_cert_auth;
	p->group_by_url = host->select_group_by_url;
	p->lifetime = host->cookie_timeout;
	p->points = conf->ban_points_wrong_password;
	return make_groups(ctx, host, &p->groups);
}

/* ---- the generation ------------------------------------------------------- */

static enum err make_accounting(TALLOC_CTX *ctx, const struct host_conf *conf,
				struct keys_report *report, struct acct_method *out)
{
	const char *why = NULL;
	enum err err = make_acct(ctx, &conf->acct, out, &why);

	if (err)
		add_error(report, ctx, conf->name, why ? why : err_text(err));
	return err;
}

/* expose-iroutes. */
static enum err load_exposed(TALLOC_CTX *ctx, const struct host_conf *conf,
			     struct keys_report *report, struct conf_exposed *out)
{
	struct conf_report *found = conf_report_new(ctx);
	enum err err = found ? conf_exposed_read(ctx, conf, 0, found, out) : ERR_NOMEM;

	for (size_t i = 0; found && i < found->n; i++)
		add_error(report, report->ctx, conf->name,
			  conf_problem_text(report->ctx, &found->item[i]));
	talloc_free(found);
	return err;
}

static void keep_first(enum err *first, enum err err)
{
	if (!*first)
		*first = err;
}

/* Most hosts inherit the keys of the default host: loaded once, a fault is told once, and a wrong
 * PIN does not lock its token. */
static enum err load_keys(struct hosts *h, const struct host_conf *conf, struct keys_report *report,
			  struct host *out)
{
	const struct host *like = h->item;
	enum err err = ERR_OK;

	while (like < out && !keys_are_same(like->conf, conf))
		like++;
	if (like < out && !like->keys)
		return ERR_CONF; /* reported there */
	out->keys = like->keys;
	if (like == out)
		err = keys_load(h, conf, h->tokens, h->trust, report, &out->keys);
	if (!err)
		keys_check_names(out->keys, conf->name, report);
	return err;
}

/* Goes on after a fault, so that all are reported; gives the first. */
static enum err load_host(struct hosts *h, const struct host_conf *conf, struct keys_report *report,
			  struct host *out)
{
	enum err err;

	out->conf = conf;
	err = load_keys(h, conf, report, out);
	keep_first(&err, keys_check_priorities(conf, report));
	keep_first(&err, make_policy(h, h->conf, conf, report, &out->policy));
	keep_first(&err, trust_load(h->trust, conf, report, &out->trust));
	keep_first(&err, make_accounting(h, conf, report, &out->acct));
	keep_first(&err, load_exposed(h, conf, report, &out->exposed));
	keep_first(&err, relays_make(h, conf, &out->relays));
	keep_first(&err, profile_load(h, conf, report, &out->profile));
	out->chroot_dir = h->conf->chroot_dir;
	return err;
}

static enum err load_hosts(struct hosts *h, struct keys_report *report)
{
	enum err err = ERR_OK;

	for (; h->n < h->conf->n_hosts; h->n++)
		keep_first(&err, load_host(h, h->conf->host[h->n], report, &h->item[h->n]));
	return err;
}

/* Main has checked these rows before; what is wrong with them all the same is no user's fault. */
static void add_findings(const struct conf_report *found, struct keys_report *report)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->item[i].severity == CONF_ERROR)
			add_error(report, report->ctx, "default", found->item[i].text);
}

enum err hosts_load(TALLOC_CTX *ctx, const struct conf_rows *rows, uint64_t generation,
		    struct keys_report *report, struct hosts **out)
{
	struct hosts *h = talloc_zero(ctx, struct hosts);
	struct conf_report *found;
	enum err err;

	if (!h)
		return ERR_NOMEM;
	h->generation = generation;
	found = conf_report_new(h);
	err = found ? conf_from_rows(h, rows, CONF_SHARE, found, &h->conf) : ERR_NOMEM;
	if (err == ERR_CONF)
		add_findings(found, report);
	if (!err)
		err = trust_new(h, &h->trust);
	if (!err)
		err = tokens_new(h, &h->tokens);
	if (!err) {
		h->item = talloc_zero_array(h, struct host, (unsigned)h->conf->n_hosts);
		err = h->item ? load_hosts(h, report) : ERR_NOMEM;
	}
	if (err)
		talloc_free(h);
	else
		*out = h;
	return err;
}

const struct host *hosts_find(const struct hosts *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->item[i].conf->name, name) == 0)
			return &h->item[i];
	return NULL;
}
