/* script.c - running a session's scripts. */
#include "main/script.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "main/hook_env.h"
#include "main/hooks.h"
#include "main/restrict.h"
#include "main/tun.h"

/* A script whose end somebody waits for; child of the session. */
struct script_run {
	struct session *session;
	struct hook *hook;
	void (*done)(struct session *s, bool ok);
};

static int run_free(struct script_run *r)
{
	if (r->hook)
		hook_forget(r->hook);
	r->session->script = NULL;
	return 0;
}

bool script_is_running(const struct session *s)
{
	return s->script;
}

static void on_done(void *arg, struct hook *hook, int status)
{
	struct script_run *r = arg;
	struct session *s = r->session;
	void (*done)(struct session * s, bool ok) = r->done;

	(void)hook;
	r->hook = NULL;
	talloc_free(r);
	done(s, status == 0);
}

/* Nobody waits, but a stop may wait for all scripts. */
static void on_unwatched(void *arg, struct hook *hook, int status)
{
	(void)hook;
	(void)status;
	main_stop_check(arg);
}

static void fill_end(const struct session *s, struct hook_env *env)
{
	int64_t lasted = clock_unix() - s->connected_at;

	env->bytes_in = s->end.counters.rx_bytes;
	env->bytes_out = s->end.counters.tx_bytes;
	env->duration = lasted > 0 ? (uint64_t)lasted : 0;
}

static void fill_tunnel(const struct session *s, struct hook_env *env)
{
	const struct tun_addrs *a = tun_addrs(s->tun);

	env->v4_local = a->v4_local;
	env->v4_remote = a->v4_peer;
	env->v6_local = a->v6_local;
	env->v6_remote = a->v6_peer;
	env->v6_prefix = a->v6_prefix;
}

/* The one that is configured: what connect did is undone by the script that stood beside it then.
 */
static const char *script_file(const struct session *s, enum script which)
{
	const struct conf *c = s->began;

	switch (which) {
	case SCRIPT_CONNECT:
		return c->connect_script;
	case SCRIPT_DISCONNECT:
		return c->disconnect_script;
	case SCRIPT_HOST_UPDATE:
		return c->host_update_script;
	}
	return NULL;
}

/* The firewall helper that runs in its place. */
static const char *program_instead(const struct session *s, enum script which)
{
	return which == SCRIPT_HOST_UPDATE ? NULL : restrict_program(s);
}

/* The environment for WHICH; child of CTX. */
static enum err build_env(TALLOC_CTX *ctx, const struct session *s, enum script which, char ***out)
{
	static const enum hook_reason reasons[] = { HOOK_CONNECT, HOOK_DISCONNECT,
						    HOOK_HOST_UPDATE };
	struct hook_env env = {
		.reason = reasons[which],
		.id = s->id,
		.vhost = s->vhost,
		.user = s->user,
		.group = s->group,
		.device = s->device ? s->device : "",
		.real = s->remote.addr,
		.real_local = s->local.addr,
		.hostname = *s->hostname ? s->hostname : NULL,
		.user_agent = s->user_agent,
		.device_type = s->device_type,
		.device_platform = s->device_platform,
		.routes = &s->conf->route,
		.no_routes = &s->conf->no_route,
		.dns = &s->conf->dns,
		.restrict_to_routes = s->conf->restrict_user_to_routes,
		.ports = &s->conf->restrict_user_to_ports,
	};

	if (s->tun)
		fill_tunnel(s, &env);
	if (which == SCRIPT_DISCONNECT)
		fill_end(s, &env);
	if (program_instead(s, which))
		env.next_script = script_file(s, which);
	return hook_env_build(ctx, &env, environ, out);
}

static void log_script(const struct session *s, enum script which, const char *file)
{
	static const char *const names[] = { "up", "down", "host-update" };
	char *text = talloc_asprintf(NULL, "executing script %s %s", names[which], file);

	if (text)
		log_debug(&s->log, "script", kv_text(text));
	talloc_free(text);
}

/* Hands the program over; R (may be NULL) hears of its end. */
static enum err start(struct session *s, enum script which, const char *const *argv,
		      struct script_run *r)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hook_job job = { .argv = argv,
				.key = s->sid,
				.done = r ? on_done : on_unwatched,
				.arg = r ? (void *)r : s->m };
	enum err err = build_env(tmp, s, which, (char ***)(uintptr_t)&job.env);

	if (!err)
		err = hooks_run(s->m->hooks, &job, r ? &r->hook : NULL);
	if (err)
		log_err(&s->log, "script-failed", kv_str("file", argv[0]), kv_err(err));
	talloc_free(tmp);
	return err;
}

static void run(struct session *s, enum script which, const char *const *argv,
		void (*done)(struct session *s, bool ok))
{
	struct script_run *r = NULL;
	enum err err = ERR_OK;

	if (done) {
		r = talloc_zero(s, struct script_run);
		if (!r) {
			done(s, false);
			return;
		}
		*r = (struct script_run){ s, NULL, done };
		s->script = r;
		talloc_set_destructor(r, run_free);
	}
	err = start(s, which, argv, r);
	if (err && done) {
		talloc_free(r);
		done(s, false);
	}
}

void script_run(struct session *s, enum script which, void (*done)(struct session *s, bool ok))
{
	const char *instead = program_instead(s, which);
	const char *const argv[] = { instead ? instead : script_file(s, which), NULL };

	if (!argv[0] || !*argv[0]) {
		if (done)
			done(s, true);
		return;
	}
	log_script(s, which, argv[0]);
	run(s, which, argv, done);
}

void script_command(struct session *s, enum script which, const char *command,
		    void (*done)(struct session *s, bool ok))
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	run(s, which, argv, done);
}
