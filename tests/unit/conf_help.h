/* conf_help.h - what the tests of src/conf share: a good file, loading text, looking into reports.
 */
#ifndef TESTS_CONF_HELP_H
#define TESTS_CONF_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/option.h"

/* The smallest accepted file (config.md 9). */
#define CONF_MINIMAL                                                                               \
	"auth = \"plain[passwd=/etc/ocserv/ocpasswd]\"\n"                                          \
	"tcp-port = 443\n"                                                                         \
	"socket-file = /run/ocserv-socket\n"                                                       \
	"server-cert = /etc/ocserv/server-cert.pem\n"                                              \
	"server-key = /etc/ocserv/server-key.pem\n"                                                \
	"device = vpns\n"                                                                          \
	"ipv4-network = 192.168.99.0/24\n"

/* One test's memory and findings. */
struct fixture {
	TALLOC_CTX *ctx;
	struct conf_report *report;
	struct conf *conf;
};

static inline struct fixture fixture_new(void)
{
	struct fixture f = { .ctx = talloc_new(NULL) };

	f.report = conf_report_new(f.ctx);
	return f;
}

static inline enum err fixture_load(struct fixture *f, const char *text)
{
	return conf_load_text(f->ctx, "t.conf", text, strlen(text), f->report, &f->conf);
}

/* CONF_MINIMAL and TEXT after it. */
static inline enum err fixture_load_more(struct fixture *f, const char *text)
{
	return fixture_load(f, talloc_asprintf(f->ctx, "%s%s", CONF_MINIMAL, text));
}

/* True when a printed finding contains TEXT. */
static inline bool fixture_said(const struct fixture *f, const char *text)
{
	for (size_t i = 0; i < f->report->n; i++)
		if (strstr(conf_problem_text(f->ctx, &f->report->item[i]), text))
			return true;
	return false;
}

static inline void fixture_explain(const struct fixture *f, const char *what)
{
	print_message("%s: report is:\n", what);
	conf_report_print(f->report, stderr, CONF_INFO, false);
}

/* The named file texts: TEXT after the minimal one gives an error that says WANT. */
static inline void refuses(const char *text, const char *want)
{
	struct fixture f = fixture_new();
	enum err err = fixture_load_more(&f, text);

	if (err != ERR_CONF || !fixture_said(&f, want))
		fixture_explain(&f, text);
	assert_int_equal(err, ERR_CONF);
	assert_true(fixture_said(&f, want));
	talloc_free(f.ctx);
}

/* TEXT after the minimal one is accepted, and the report says WANT (NULL: nothing looked for). */
static inline void accepts(const char *text, const char *want)
{
	struct fixture f = fixture_new();
	enum err err = fixture_load_more(&f, text);

	if (err || (want && !fixture_said(&f, want)))
		fixture_explain(&f, text);
	assert_int_equal(err, ERR_OK);
	assert_true(!want || fixture_said(&f, want));
	talloc_free(f.ctx);
}

#endif /* TESTS_CONF_HELP_H */
