/* restart.c - names what a changed file asks for and a reload cannot give (config.md 5, 8). */
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "conf/build.h"
#include "conf/types.h"

enum { VALUE_MAX = 64 * 1024 };

/* The value of OPT, a list's elements one after the other; the caller frees out->data. */
static void print_value(const struct conf *conf, const struct host_conf *host,
			const struct conf_option *opt, struct buf *out)
{
	const void *field = conf_field_ro(conf, host, opt);
	const struct conf_any_list *list = field;

	buf_init(out, NULL, VALUE_MAX);
	if (!opt->type->item) {
		opt->type->print(field, out);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_puts(out, ", ");
		opt->type->print((const char *)list->item + i * opt->type->item, out);
	}
}

/* Secrets are not printed, so they are compared as they are. */
static bool same_secret(const struct conf *a, const struct host_conf *ha, const struct conf *b,
			const struct host_conf *hb, const struct conf_option *opt)
{
	struct secret *const *x = conf_field_ro(a, ha, opt), *const *y = conf_field_ro(b, hb, opt);

	if (!*x || !*y)
		return *x == *y;
	return strcmp(secret_text(*x), secret_text(*y)) == 0;
}

static bool same_value(const struct conf_option *opt, const struct conf *a,
		       const struct host_conf *ha, const struct conf *b, const struct host_conf *hb,
		       const char *x, const char *y)
{
	return opt->type == &conf_type_secret ? same_secret(a, ha, b, hb, opt) : strcmp(x, y) == 0;
}

static void compare(const struct conf *old, const struct host_conf *was, const struct conf *fresh,
		    const struct host_conf *now, const struct conf_option *opt,
		    struct conf_report *report)
{
	struct conf_where where = conf_where_of(now, opt->id);
	struct buf a, b;

	where.option = opt->name;
	print_value(old, was, opt, &a);
	print_value(fresh, now, opt, &b);
	if (same_value(opt, old, was, fresh, now, buf_text(&a), buf_text(&b)))
		goto out;
	if (a.len && opt->type != &conf_type_secret)
		conf_report_add(report, CONF_WARNING, &where,
				"the change needs a restart of the server; until then '%s' stays "
				"in force",
				buf_text(&a));
	else
		conf_report_add(report, CONF_WARNING, &where,
				"the change needs a restart of the server");
out:
	talloc_free(a.data);
	talloc_free(b.data);
}

/* ROW was written for HOST itself; what it inherits is told of the default host. */
static bool is_own(const struct host_conf *host, const struct conf_row *row)
{
	return row && (row->vhost != NULL) == !host->is_default;
}

/* Neither values that follow from other options are told, nor what every host has in common for
 * each of them. */
static bool concerns(const struct conf_option *opt, const struct host_conf *was,
		     const struct host_conf *now)
{
	return opt->scope != CONF_SCOPE_PERUSER && !(opt->flags & (CONF_RELOAD | CONF_NOOP)) &&
	       (is_own(was, was->origin[opt->id]) || is_own(now, now->origin[opt->id]));
}

static const struct host_conf *same_host(const struct conf *conf, const struct host_conf *host)
{
	const struct host_conf *found = conf_host(conf, host->is_default ? NULL : host->name);

	return found->is_default == host->is_default ? found : NULL;
}

void conf_check_restart(const struct conf *old, const struct conf *fresh,
			struct conf_report *report)
{
	for (size_t h = 0; h < fresh->n_hosts; h++) {
		const struct host_conf *now = fresh->host[h], *was = same_host(old, now);

		for (size_t i = 0; was && i < CONF_OPT_COUNT; i++)
			if (concerns(&conf_options[i], was, now))
				compare(old, was, fresh, now, &conf_options[i], report);
	}
}
