/* auth_rules.c - which authentication methods work together. */
#include "conf/auth_rules.h"

#include <string.h>

#include "conf/build.h"

enum { METHODS_MAX = 4 }; /* the primary counts as one */

/* Only one password can be asked for in a login form. */
static bool is_password(enum conf_method method)
{
	return method == CONF_METHOD_PAM || method == CONF_METHOD_PLAIN ||
	       method == CONF_METHOD_RADIUS || method == CONF_METHOD_LDAP;
}

bool conf_wants_certificate(const struct host_conf *host)
{
	return conf_auths_have(&host->auth, CONF_METHOD_CERTIFICATE) ||
	       conf_auths_have(&host->enable_auth, CONF_METHOD_CERTIFICATE);
}

enum conf_cert_policy conf_cert_policy(const struct host_conf *host)
{
	if (!conf_wants_certificate(host))
		return CONF_CERT_NONE;
	for (size_t i = 0; i < host->auth.n; i++)
		if (host->auth.item[i].method != CONF_METHOD_CERTIFICATE)
			return CONF_CERT_REQUEST;
	return host->enable_auth.n || host->cisco_client_compat ? CONF_CERT_REQUEST
								: CONF_CERT_REQUIRE;
}

/* config.md prints "vhost:default: " in the messages about authentication, and only there. */
static struct conf_where place(const struct host_conf *host, enum conf_opt opt)
{
	struct conf_where where = conf_where_of(host, opt);

	where.vhost = host->name;
	return where;
}

static unsigned count_passwords(const struct conf_auths *list)
{
	unsigned n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += is_password(list->item[i].method);
	return n;
}

/* One-time passwords beside another method have a form of their own. */
static unsigned count_primary_passwords(const struct conf_auths *list)
{
	unsigned codes = 0, others = 0;

	for (size_t i = 0; i < list->n; i++) {
		codes += conf_auth_is_code(&list->item[i]);
		others += list->item[i].method != CONF_METHOD_CERTIFICATE &&
			  !conf_auth_is_code(&list->item[i]);
	}
	return count_passwords(list) - (others ? codes : 0);
}

/* Certificates go with everything, one-time passwords with every other method that does not ask for
 * some itself. */
const struct conf_auth *conf_auth_misfit(const struct conf_auths *list)
{
	bool codes = false, others = false;

	for (size_t i = 0; i < list->n; i++) {
		const struct conf_auth *a = &list->item[i];
		bool code = a->method == CONF_METHOD_PLAIN && conf_auth_get(a, "otp");
		bool other = a->method != CONF_METHOD_CERTIFICATE && !conf_auth_is_code(a);

		if ((code && codes) || (other && others))
			return a;
		codes |= code;
		others |= other;
	}
	return NULL;
}

static void check_primary(const struct host_conf *host, struct conf_report *report)
{
	const struct conf_auth *misfit = conf_auth_misfit(&host->auth);
	struct conf_where where = place(host, CONF_OPT_auth);

	if (misfit)
		conf_report_add(report, CONF_ERROR, &where,
				"you cannot mix multiple authentication methods of %s type",
				misfit->name);
}

static void check_counts(const struct host_conf *host, struct conf_report *report)
{
	struct conf_where where = place(host, CONF_OPT_enable_auth);

	if (host->enable_auth.n &&
	    count_primary_passwords(&host->auth) + count_passwords(&host->enable_auth) > 1)
		conf_report_add(report, CONF_ERROR, &where,
				"you cannot mix multiple password authentication methods");
	if (host->enable_auth.n + 1 > METHODS_MAX)
		conf_report_add(report, CONF_ERROR, &where,
				"you cannot enable more than %d authentication methods",
				METHODS_MAX);
}

/* "plain+certificate": in file order, certificate once. */
static void note_primary(const struct host_conf *host, struct conf_report *report)
{
	struct conf_where where = { .vhost = host->name };
	struct buf name;

	buf_init(&name, NULL, 256);
	for (size_t i = 0; i < host->auth.n; i++) {
		const struct conf_auths before = { host->auth.item, i };
		enum conf_method method = host->auth.item[i].method;

		if (method != CONF_METHOD_CERTIFICATE || !conf_auths_have(&before, method))
			buf_printf(&name, "%s%s", i ? "+" : "", host->auth.item[i].name);
	}
	conf_report_add(report, CONF_NOTE, &where, "setting '%s' as primary authentication method",
			buf_text(&name));
	talloc_free(name.data);
}

/* config.md 4: what the server is going to do, in its own words. */
static void note_all(const struct host_conf *host, struct conf_report *report)
{
	struct conf_where where = { .vhost = host->name };
	struct conf_where named = { .vhost = host->is_default ? NULL : host->name };

	note_primary(host, report);
	for (size_t i = 0; i < host->enable_auth.n; i++)
		conf_report_add(report, CONF_NOTE, &where, "enabling '%s' as authentication method",
				host->enable_auth.item[i].name);
	if (host->acct.name)
		conf_report_add(report, CONF_NOTE, &named, "setting '%s' as accounting method",
				host->acct.name);
	conf_report_add(report, CONF_NOTE, &named, "setting '%s' as supplemental config option",
			host->radius_groupconfig ? "radius" : "file");
}

void conf_check_auth(const struct host_conf *host, struct conf_report *report)
{
	struct conf_where named = { .vhost = host->is_default ? NULL : host->name };
	size_t errors = report->errors;

	if (!host->auth.n && host->origin[CONF_OPT_auth])
		return; /* a line that was refused has been reported */
	if (!host->auth.n) {
		conf_report_add(report, CONF_ERROR, &named, "%s",
				host->is_default
					? "the 'auth' configuration option was not specified!"
					: "no authentication method was specified!");
		return;
	}
	check_primary(host, report);
	check_counts(host, report);
	if (report->errors == errors)
		note_all(host, report);
}
