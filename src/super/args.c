/* args.c - the daemon's command line. */
#include "super/args.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include <gnutls/gnutls.h>
#include <talloc.h>

#include "base/log.h"
#include "config.h"

enum {
	OPT_NO_CHDIR = 256,
	OPT_FACILITY,
	OPT_PRINT_CONFIG,
	OPT_USER,
	OPT_GROUP,
	OPT_VHOST,
	OPT_ROLE,
	OPT_CHANNEL,
};

static const struct option options[] = {
	{ "foreground", no_argument, NULL, 'f' },
	{ "debug", required_argument, NULL, 'd' },
	{ "config", required_argument, NULL, 'c' },
	{ "test-config", no_argument, NULL, 't' },
	{ "print-config", no_argument, NULL, OPT_PRINT_CONFIG },
	{ "user", required_argument, NULL, OPT_USER },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "vhost", required_argument, NULL, OPT_VHOST },
	{ "no-chdir", no_argument, NULL, OPT_NO_CHDIR },
	{ "pid-file", required_argument, NULL, 'p' },
	{ "log-stderr", no_argument, NULL, 'e' },
	{ "syslog", no_argument, NULL, 's' },
	{ "syslog-facility", required_argument, NULL, OPT_FACILITY },
	{ "traceable", no_argument, NULL, 'x' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "role", required_argument, NULL, OPT_ROLE },	     /* internal: how main is started */
	{ "channel", required_argument, NULL, OPT_CHANNEL }, /* internal */
	{ 0 },
};

static const char usage[] =
	"Usage: sallyportd [options]\n"
	"  -f, --foreground         stay in the foreground\n"
	"  -d, --debug LEVEL        log level 0 to 9, overrides log-level\n"
	"  -c, --config FILE        configuration file\n"
	"  -t, --test-config        check the configuration and exit (0 usable, 1 not)\n"
	"      --print-config       print every option's effective value and exit\n"
	"      --user NAME          with --print-config: what this user would get, and why\n"
	"      --group NAME         with --user: in this group, not the one he is in first\n"
	"      --vhost NAME         with --user: on this virtual host\n"
	"      --no-chdir           do not move to / in the background\n"
	"  -p, --pid-file FILE      write the process id to FILE\n"
	"  -e, --log-stderr         log to stderr only\n"
	"  -s, --syslog             log to syslog (default in the background)\n"
	"      --syslog-facility NAME  daemon, user, auth, authpriv, local0 ... local7\n"
	"  -x, --traceable          leave processes traceable\n"
	"  -v, --version            print the version and exit\n"
	"  -h, --help               print this text and exit\n";

static enum err finished(struct server_args *a, int status)
{
	a->exit_status = status;
	return ERR_CLOSED;
}

static enum err version(struct server_args *a)
{
	/* Administrators' scripts look for the first three lines (admin.md 2). */
	fprintf(stderr,
		"OpenConnect VPN Server %s\n\n"
		"Compiled with: seccomp, oath, radius, gssapi, PAM, PKCS#11, AnyConnect, oidc_auth\n"
		"GnuTLS version: %s\n"
		"This is Sallyport, which has ldap as well.\n",
		PACKAGE_VERSION, GNUTLS_VERSION);
	return finished(a, 0);
}

static int facility_from_name(const char *name)
{
	static const struct {
		const char *name;
		int value;
	} known[] = {
		{ "daemon", LOG_DAEMON },     { "user", LOG_USER },	{ "auth", LOG_AUTH },
		{ "authpriv", LOG_AUTHPRIV }, { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },     { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },     { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcasecmp(name, known[i].name) == 0)
			return known[i].value;
	return -1;
}

static enum err set_facility(struct server_args *a, const char *name)
{
	a->facility = facility_from_name(name);
	a->facility_name = name;
	if (a->facility >= 0)
		return ERR_OK;
	fprintf(stderr,
		"unknown syslog facility: %s (use daemon, user, auth, authpriv, local0 ... local7)\n",
		name);
	return finished(a, 1);
}

static enum err set_verbosity(struct server_args *a, const char *text)
{
	a->verbosity = text[0] >= '0' && text[0] <= '9' && !text[1] ? text[0] - '0' : -1;
	if (a->verbosity >= 0)
		return ERR_OK;
	fprintf(stderr, "error: --debug takes a level from 0 to 9, not '%s'\n", text);
	return finished(a, 1);
}

static enum err set_channel(struct server_args *a, const char *text)
{
	a->channel = atoi(text);
	return ERR_OK;
}

/* Options that only set a flag; false when C is none of them. */
static bool set_flag(struct server_args *a, int c)
{
	bool *flag = c == 'f'		     ? &a->foreground
		     : c == 't'		     ? &a->test
		     : c == OPT_PRINT_CONFIG ? &a->print
		     : c == OPT_NO_CHDIR     ? &a->no_chdir
		     : c == 'x'		     ? &a->traceable
					     : NULL;

	if (flag)
		*flag = true;
	else if (c == 'e')
		a->log_targets = LOG_TO_STDERR;
	else if (c == 's')
		a->log_targets = LOG_TO_SYSLOG;
	else
		return false;
	return true;
}

/* The user whose settings --print-config explains.  False when C is none of its options. */
static bool set_question(struct server_args *a, int c)
{
	const char **text = c == OPT_USER    ? &a->user
			    : c == OPT_GROUP ? &a->group
			    : c == OPT_VHOST ? &a->vhost
					     : NULL;

	if (text)
		*text = optarg;
	return text != NULL;
}

static enum err set_option(struct server_args *a, int c)
{
	if (set_flag(a, c) || set_question(a, c))
		return ERR_OK;
	switch (c) {
	case 'c':
		a->config = optarg;
		return ERR_OK;
	case 'p':
		a->pid_file = optarg;
		return ERR_OK;
	case 'd':
		return set_verbosity(a, optarg);
	case OPT_FACILITY:
		return set_facility(a, optarg);
	case OPT_ROLE: /* the channel says it all; the option is there to be seen in ps */
		return ERR_OK;
	case OPT_CHANNEL:
		return set_channel(a, optarg);
	case 'v':
		return version(a);
	case 'h':
		fputs(usage, stderr);
		return finished(a, 0);
	default:
		return finished(a, 1); /* getopt has said what is wrong */
	}
}

enum err args_parse(int argc, char **argv, struct server_args *out)
{
	enum err err = ERR_OK;
	int c;

	*out = (struct server_args){ .verbosity = -1, .facility = -1, .channel = -1 };
	while (!err && (c = getopt_long(argc, argv, "fd:c:tp:esxvh", options, NULL)) != -1)
		err = set_option(out, c);
	if (!err && optind < argc) {
		fprintf(stderr, "error: no additional command line options are allowed\n");
		err = finished(out, 1);
	}
	if (!err && ((out->user && !out->print) || ((out->group || out->vhost) && !out->user))) {
		fprintf(stderr, "error: --user goes with --print-config, --group and --vhost with "
				"--user\n");
		err = finished(out, 1);
	}
	return err;
}

char **args_for_main(void *ctx, const struct server_args *a, const char *config)
{
	char **v = talloc_zero_array(ctx, char *, 12);
	int n = 0;

	if (!v)
		return NULL;
	v[n++] = talloc_strdup(v, "sallyport-main");
	v[n++] = talloc_strdup(v, "--role=main");
	v[n++] = talloc_asprintf(v, "--config=%s", config);
	if (a->verbosity >= 0)
		v[n++] = talloc_asprintf(v, "--debug=%d", a->verbosity);
	if (a->facility_name)
		v[n++] = talloc_asprintf(v, "--syslog-facility=%s", a->facility_name);
	if (a->foreground)
		v[n++] = talloc_strdup(v, "--foreground");
	if (a->traceable)
		v[n++] = talloc_strdup(v, "--traceable");
	if (a->log_targets == LOG_TO_STDERR)
		v[n++] = talloc_strdup(v, "--log-stderr");
	else if (a->log_targets == LOG_TO_SYSLOG)
		v[n++] = talloc_strdup(v, "--syslog");
	return v;
}
