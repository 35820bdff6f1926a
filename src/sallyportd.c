/* sallyportd.c - the daemon's entry: the supervisor, and (started by it) the main process. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <talloc.h>

#include "base/log.h"
#include "conf/conf.h"
#include "conf/explain.h"
#include "conf/option.h"
#include "conf/pack.h"
#include "main/main.h"
#include "super/args.h"
#include "super/daemon.h"
#include "super/super.h"

static const char default_config[] = SYSCONFDIR "/sallyport/sallyport.conf";
/* A machine that ran ocserv keeps its file where it is. */
static const char ocserv_config[] = "/etc/ocserv/ocserv.conf";

static const char *choose_config(const struct server_args *args)
{
	if (args->config)
		return args->config;
	return access(default_config, R_OK) < 0 && access(ocserv_config, R_OK) == 0
		       ? ocserv_config
		       : default_config;
}

/* Loads and checks the file; everything found goes to stderr, one line each. */
static enum err load(TALLOC_CTX *ctx, const char *path, struct conf **conf)
{
	struct conf_report *report = conf_report_new(ctx);
	enum err err = conf_load_file(ctx, path, report, conf);

	if (err == ERR_SYS || err == ERR_NOT_FOUND) {
		fprintf(stderr,
			"error: cannot access config file: %s (%s)\n"
			"Usage: sallyportd [-c config]\n"
			"Use sallyportd --help for more information.\n",
			path, strerror(errno));
		return err;
	}
	conf_report_print(report, stderr, CONF_NOTE, false);
	if (err)
		fprintf(stderr, "error: cannot load config file %s\n", path);
	return err;
}

/* Certificates and keys are auth's: a copy of it loads them, says what is wrong, and exits. */
static int check_keys(const struct conf *conf, const struct programs *programs)
{
	char fd_arg[32], title[] = "sallyport-auth", check[] = "--check";
	char *argv[] = { title, check, fd_arg, NULL };
	int fd, status;
	pid_t pid;

	if (conf_pack_fd(&conf->rows, CONF_TO_AUTH, &fd))
		return 1;
	pid = fork();
	if (pid == 0) {
		snprintf(fd_arg, sizeof fd_arg, "--conf-fd=%d", dup(fd));
		fexecve(programs->auth, argv, environ);
		_exit(1);
	}
	close(fd);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static unsigned log_places(const struct server_args *args)
{
	if (args->log_targets)
		return args->log_targets;
	/* In the foreground somebody is watching; a syslog that is there gets its copy as well. */
	if (args->foreground)
		return access("/dev/log", W_OK) == 0 ? LOG_TO_STDERR | LOG_TO_SYSLOG
						     : LOG_TO_STDERR;
	return LOG_TO_SYSLOG;
}

static unsigned log_targets(const struct server_args *args, const struct conf *conf)
{
	return log_places(args) | (conf->log_format == CONF_LOG_JSON ? LOG_AS_JSON : 0u);
}

static char **auth_argv(TALLOC_CTX *ctx, const struct server_args *args, const struct conf *conf)
{
	char **v = talloc_zero_array(ctx, char *, 6);

	if (!v)
		return NULL;
	v[0] = talloc_strdup(v, "sallyport-auth");
	v[1] = talloc_asprintf(v, "--verbosity=%d",
			       args->verbosity >= 0 ? args->verbosity : (int)conf->log_level);
	v[2] = talloc_asprintf(v, "--log=%u", log_targets(args, conf));
	v[3] = talloc_asprintf(v, "--facility=%d",
			       args->facility >= 0 ? args->facility : conf->syslog_facility);
	if (args->traceable)
		v[4] = talloc_strdup(v, "--traceable");
	return v;
}

static const char *pid_file(const struct server_args *args, const struct conf *conf)
{
	return args->pid_file ? args->pid_file : conf->pid_file;
}

static int no_pid_file(const char *path)
{
	fprintf(stderr, "error: cannot open pid file '%s': %s\n", path, strerror(errno));
	return 1;
}

/* From here on errors go to the log; the pid file lives as long as the service. */
static int supervise(TALLOC_CTX *ctx, const struct server_args *args, const char *config,
		     const struct conf *conf, const struct programs *programs)
{
	const char *pid_path = pid_file(args, conf);
	struct super_args super = {
		.programs = *programs,
		.isolate = conf->isolate_workers,
		.main_argv = args_for_main(ctx, args, config),
		.auth_argv = auth_argv(ctx, args, conf),
	};
	struct log_sink sink;
	int status;

	if (!super.main_argv || !super.auth_argv)
		return 1;
	log_sink_system(&sink, "super", log_targets(args, conf),
			args->facility >= 0 ? args->facility : conf->syslog_facility,
			args->verbosity >= 0 ? (unsigned)args->verbosity : conf->log_level);
	log_set_sink(&sink);
	if (pid_path && daemon_write_pid(pid_path))
		return no_pid_file(pid_path);
	status = super_run(&super);
	if (pid_path)
		unlink(pid_path);
	log_set_sink(NULL);
	return status;
}

static int serve(TALLOC_CTX *ctx, const struct server_args *args, const char *config,
		 const struct conf *conf, const struct programs *programs)
{
	const char *pid_path = pid_file(args, conf);
	char absolute[PATH_MAX];

	if (geteuid() != 0) {
		fprintf(stderr, "This server requires root access to operate.\n");
		return 1;
	}
	/* Main reads the file itself, perhaps from another folder. */
	if (!realpath(config, absolute))
		return 1;
	umask(066);
	if (args->pid_file && conf->pid_file)
		fprintf(stderr, "note: skipping 'pid-file' config option\n");
	/* In the background nobody would read why. */
	if (!args->foreground && pid_path && *pid_path == '/' && daemon_check_pid(pid_path))
		return no_pid_file(pid_path);
	if (!args->foreground && daemon_detach(!args->no_chdir)) {
		fprintf(stderr, "error: cannot go to the background: %s\n", strerror(errno));
		return 1;
	}
	return supervise(ctx, args, absolute, conf, programs);
}

/* --print-config, of the file or for one user of it. */
static int print_config(TALLOC_CTX *ctx, const struct server_args *args, const struct conf *conf)
{
	const struct conf_question q = { args->user, args->group, args->vhost };
	struct conf_explained *e;
	enum err err;

	if (!args->user) {
		conf_show(conf, stdout);
		return 0;
	}
	err = conf_explain(ctx, conf, &q, &e);
	if (err == ERR_NOT_FOUND)
		fprintf(stderr, "error: the file has no virtual host '%s'\n", args->vhost);
	else if (err)
		fprintf(stderr, "error: %s\n", err_text(err));
	else
		conf_explain_print(e, stdout);
	return err || e->refused ? 1 : 0;
}

static int run_service(const struct server_args *args)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *config = choose_config(args);
	struct programs programs;
	struct conf *conf;
	int status = 1;

	if (load(ctx, config, &conf)) {
		talloc_free(ctx);
		return 1;
	}
	if (args->print) {
		status = print_config(ctx, args, conf);
	} else if (programs_open(&programs)) {
		fprintf(stderr,
			"error: sallyport-auth and sallyport-worker of this build were not found\n");
	} else if (args->test) {
		status = check_keys(conf, &programs);
	} else {
		status = serve(ctx, args, config, conf, &programs);
	}
	talloc_free(ctx);
	return status;
}

static int run_main(const struct server_args *args, const char *argv0)
{
	struct main_args main = {
		.channel = args->channel,
		.config_path = args->config,
		.verbosity = args->verbosity,
		.log_targets = log_places(args),
		.facility = args->facility,
		.foreground = args->foreground,
		.traceable = args->traceable,
		.super_argv0 = argv0,
	};

	return main_run(&main);
}

int main(int argc, char **argv)
{
	struct server_args args;

	if (args_parse(argc, argv, &args))
		return args.exit_status;
	return args.channel >= 0 ? run_main(&args, argv[0]) : run_service(&args);
}
