/* test_hooks.c - the environment of scripts, and running them. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "main/hook_env.h"
#include "main/hooks.h"

static const char *value(char *const *env, const char *name)
{
	size_t len = strlen(name);
	const char *found = NULL;

	for (; *env; env++) {
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=') {
			assert_null(found); /* each name once */
			found = *env + len + 1;
		}
	}
	return found;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), ERR_OK);
	return a;
}

static struct conf_route route(TALLOC_CTX *ctx, const char *text)
{
	struct conf_route r;

	assert_int_equal(conf_route_parse(ctx, text, &r, NULL), ERR_OK);
	return r;
}

static struct hook_env full_env(void)
{
	return (struct hook_env){
		.reason = HOOK_DISCONNECT,
		.id = 3713,
		.vhost = "default",
		.user = "sp@c/al",
		.group = "g1",
		.device = "vpns0",
		.real = addr("198.51.100.7"),
		.real_local = addr("203.0.113.1"),
		.v4_local = addr("10.0.0.1"),
		.v4_remote = addr("10.0.0.9"),
		.v6_local = addr("fd91::1"),
		.v6_remote = addr("fd91::6cef"),
		.v6_prefix = 128,
		.hostname = "mylaptop",
		.user_agent = "agent `reboot`",
		.bytes_in = 5000000000,
		.bytes_out = 7,
		.duration = 61,
	};
}

static void a_session_is_told_in_the_environment(void **state)
{
	static char path[] = "PATH=/bin", host[] = "HOSTNAME=ours", odd[] = "ODD";
	char *base[] = { path, host, odd, NULL }, **env;
	struct hook_env in = full_env();
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	assert_int_equal(hook_env_build(ctx, &in, base, &env), ERR_OK);
	assert_string_equal(value(env, "PATH"), "/bin");
	assert_string_equal(value(env, "REASON"), "disconnect");
	assert_string_equal(value(env, "ID"), "3713");
	assert_string_equal(value(env, "VHOST"), "default");
	assert_string_equal(value(env, "USERNAME"), "sp@c/al");
	assert_string_equal(value(env, "GROUPNAME"), "g1");
	assert_string_equal(value(env, "DEVICE"), "vpns0");
	assert_string_equal(value(env, "IP_REAL"), "198.51.100.7");
	assert_string_equal(value(env, "IP_REAL_LOCAL"), "203.0.113.1");
	assert_string_equal(value(env, "IP_LOCAL"), "10.0.0.1");
	assert_string_equal(value(env, "IP_REMOTE"), "10.0.0.9");
	assert_string_equal(value(env, "IPV6_LOCAL"), "fd91::1");
	assert_string_equal(value(env, "IPV6_REMOTE"), "fd91::6cef");
	assert_string_equal(value(env, "IPV6_PREFIX"), "128");
	assert_string_equal(value(env, "HOSTNAME"), "mylaptop");
	assert_string_equal(value(env, "REMOTE_HOSTNAME"), "mylaptop");
	assert_string_equal(value(env, "USER_AGENT"), "agent `reboot`");
	assert_string_equal(value(env, "DEVICE_TYPE"), "");
	assert_string_equal(value(env, "DEVICE_PLATFORM"), "");
	assert_string_equal(value(env, "STATS_BYTES_IN"), "5000000000");
	assert_string_equal(value(env, "STATS_BYTES_OUT"), "7");
	assert_string_equal(value(env, "STATS_DURATION"), "61");
	assert_null(value(env, "OCSERV_ROUTES"));
	assert_null(value(env, "OCSERV_DNS"));
	talloc_free(ctx);
}

static void what_is_not_known_is_not_set(void **state)
{
	struct hook_env in = { .reason = HOOK_CONNECT, .user = "ann", .device = "vpns1" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char **env;

	(void)state;
	in.v6_remote = addr("fd91::2");
	assert_int_equal(hook_env_build(ctx, &in, NULL, &env), ERR_OK);
	assert_string_equal(value(env, "REASON"), "connect");
	assert_string_equal(value(env, "GROUPNAME"), "");
	assert_string_equal(value(env, "VHOST"), "default");
	assert_null(value(env, "IP_LOCAL"));
	assert_null(value(env, "HOSTNAME"));
	assert_null(value(env, "STATS_DURATION"));
	assert_null(value(env, "OCSERV_RESTRICT_TO_ROUTES"));
	assert_null(value(env, "OCSERV_NEXT_SCRIPT"));
	assert_string_equal(value(env, "IPV6_REMOTE"), "fd91::2");
	talloc_free(ctx);
}

static void lists_end_with_a_blank_and_split_by_family(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_route r[] = { route(ctx, "10.0.0.0/8"), route(ctx, "fd12::/32"),
				  route(ctx, "10.9.0.0/255.255.0.0") };
	struct conf_routes routes = { r, 2 }, no_routes = { r + 2, 1 };
	struct hook_env in = { .user = "ann", .routes = &routes, .no_routes = &no_routes };
	struct conf_ports ports;
	struct strv dns = { 0 };
	char **env;

	(void)state;
	assert_int_equal(strv_add(ctx, &dns, "fd91::53"), ERR_OK);
	assert_int_equal(conf_ports_parse(ctx, "tcp(443), icmp()", &ports, NULL), ERR_OK);
	in.dns = &dns;
	in.ports = &ports;
	in.restrict_to_routes = true;
	assert_int_equal(hook_env_build(ctx, &in, NULL, &env), ERR_OK);
	assert_string_equal(value(env, "OCSERV_ROUTES"), "10.0.0.0/255.0.0.0 fd12::/32 ");
	assert_string_equal(value(env, "OCSERV_ROUTES4"), "10.0.0.0/255.0.0.0 ");
	assert_string_equal(value(env, "OCSERV_ROUTES6"), "fd12::/32 ");
	assert_string_equal(value(env, "OCSERV_NO_ROUTES4"), "10.9.0.0/255.255.0.0 ");
	assert_null(value(env, "OCSERV_NO_ROUTES6"));
	assert_string_equal(value(env, "OCSERV_DNS"), "fd91::53 ");
	assert_null(value(env, "OCSERV_DNS4"));
	assert_string_equal(value(env, "OCSERV_RESTRICT_TO_ROUTES"), "1");
	assert_string_equal(value(env, "OCSERV_ALLOW_PORTS"), "tcp 443 icmp all ");
	assert_int_equal(conf_ports_parse(ctx, "!(udp(53), esp())", &ports, NULL), ERR_OK);
	assert_int_equal(hook_env_build(ctx, &in, NULL, &env), ERR_OK);
	assert_string_equal(value(env, "OCSERV_DENY_PORTS"), "udp 53 esp all ");
	assert_null(value(env, "OCSERV_ALLOW_PORTS"));
	talloc_free(ctx);
}

static void a_default_route_leaves_the_route_variables_unset(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_route r[] = { route(ctx, "10.0.0.0/8"), route(ctx, "default") };
	struct conf_routes routes = { r, 2 };
	struct hook_env in = { .user = "ann", .routes = &routes };
	char **env;

	(void)state;
	assert_int_equal(hook_env_build(ctx, &in, NULL, &env), ERR_OK);
	assert_null(value(env, "OCSERV_ROUTES"));
	assert_null(value(env, "OCSERV_ROUTES4"));
	talloc_free(ctx);
}

static void route_commands_expand_their_placeholders(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_route r = route(ctx, "10.0.0.0/8");
	char *text;

	(void)state;
	assert_int_equal(hook_expand_route(ctx, "ip r add %{RI} dev %{D}; log %R %D%{R}", &r,
					   "vpns0", &text),
			 ERR_OK);
	assert_string_equal(text, "ip r add 10.0.0.0/8 dev vpns0; log 10.0.0.0/255.0.0.0 "
				  "vpns010.0.0.0/255.0.0.0");
	assert_int_equal(hook_expand_route(ctx, "date +%s", &r, "vpns0", &text), ERR_SYNTAX);
	assert_int_equal(hook_expand_route(ctx, "x %", &r, "vpns0", &text), ERR_SYNTAX);
	assert_int_equal(hook_expand_route(ctx, "x %{R", &r, "vpns0", &text), ERR_SYNTAX);
	talloc_free(ctx);
}

/* ---- running ---- */

struct fixture {
	struct ev_loop *loop;
	struct hooks *hooks;
	int status[64];
	char order[65];
	size_t n;
	char dir[32];
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->loop = ev_loop_new(0);
	assert_int_equal(hooks_new(f, f->loop, &f->hooks), ERR_OK);
	strcpy(f->dir, "/tmp/hooks.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct ev_loop *loop = f->loop;
	char cmd[64];

	snprintf(cmd, sizeof cmd, "rm -r %s", f->dir);
	assert_int_equal(system(cmd), 0);
	talloc_free(f);
	ev_loop_destroy(loop);
	return 0;
}

static void on_done(void *arg, struct hook *hook, int status)
{
	struct fixture *f = arg;

	(void)hook;
	f->status[f->n++] = status;
}

static void run_sh(struct fixture *f, const char *script, const char *key, double limit)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct hook_job job = { .argv = argv, .key = key, .limit = limit };

	job.done = on_done;
	job.arg = f;
	assert_int_equal(hooks_run(f->hooks, &job, NULL), ERR_OK);
}

static void the_exit_status_is_reported(void **state)
{
	struct fixture *f = *state;
	const char *const missing[] = { "/nonexistent/script", NULL };
	struct hook_job job = { .argv = missing, .done = on_done, .arg = f };

	run_sh(f, "exit 7", NULL, 0);
	ev_run(f->loop, 0);
	assert_int_equal(hooks_run(f->hooks, &job, NULL), ERR_OK);
	ev_run(f->loop, 0);
	assert_int_equal(f->n, 2);
	assert_true(WIFEXITED(f->status[0]) && WEXITSTATUS(f->status[0]) == 7);
	assert_int_equal(f->status[1], -1);
	assert_int_equal(hooks_pending(f->hooks), 0);
}

static void a_script_sees_its_environment_and_nothing_of_ours(void **state)
{
	struct fixture *f = *state;
	static char user[] = "USERNAME=$(reboot)";
	char *env[] = { user, NULL };
	/* The shell itself has only the three standard descriptors. */
	const char *argv[] = {
		"/bin/sh", "-c",
		"[ \"$USERNAME\" = '$(reboot)' ] || exit 2; ! read x || exit 3; "
		"for i in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$i ] || exit 4; done; "
		"set -- $(cat /proc/$$/stat); [ $5 = $$ ] || exit 5",
		NULL
	};
	struct hook_job job = { .argv = argv, .env = env, .done = on_done, .arg = f };
	int leak = open("/dev/null", O_RDONLY); /* not CLOEXEC on purpose */
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 10), words[2];

	assert_int_equal(pipe2(words, O_CLOEXEC), 0);
	assert_int_equal(write(words[1], "x\n", 2), 2);
	assert_int_equal(dup2(words[0], 0), 0); /* what the script must not read */
	assert_int_equal(hooks_run(f->hooks, &job, NULL), ERR_OK);
	ev_run(f->loop, 0);
	dup2(saved, 0);
	close(saved);
	close(words[0]);
	close(words[1]);
	close(leak);
	assert_int_equal(f->status[0], 0);
}

static void a_script_that_hangs_is_killed_with_its_children(void **state)
{
	struct fixture *f = *state;
	char script[128];
	struct stat st;

	snprintf(script, sizeof script, "(sleep 1; : > %s/alive) & sleep 30", f->dir);
	run_sh(f, script, NULL, 0.2);
	ev_run(f->loop, 0);
	assert_true(WIFSIGNALED(f->status[0]) && WTERMSIG(f->status[0]) == SIGKILL);
	usleep(1200 * 1000);
	snprintf(script, sizeof script, "%s/alive", f->dir);
	assert_int_equal(stat(script, &st), -1);
}

static void scripts_of_one_key_run_in_order_and_others_at_once(void **state)
{
	struct fixture *f = *state;
	char script[256];

	/* The first of "a" waits for what only "b" makes, so "b" must run beside it. */
	snprintf(script, sizeof script, "until [ -e %s/b ]; do sleep 0.02; done; : > %s/a", f->dir,
		 f->dir);
	run_sh(f, script, "a", 5);
	snprintf(script, sizeof script, "[ -e %s/a ]", f->dir);
	run_sh(f, script, "a", 5);
	run_sh(f, script, "a", 5);
	snprintf(script, sizeof script, ": > %s/b", f->dir);
	run_sh(f, script, "b", 5);
	ev_run(f->loop, 0);
	assert_int_equal(f->n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->status[i], 0);
}

static void more_than_may_run_at_once_wait_in_line(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < HOOKS_RUNNING + 20; i++)
		run_sh(f, "sleep 0.05", NULL, 5);
	assert_int_equal(hooks_pending(f->hooks), HOOKS_RUNNING + 20);
	ev_run(f->loop, 0);
	assert_int_equal(f->n, HOOKS_RUNNING + 20);
}

static void a_forgotten_hook_runs_but_does_not_report(void **state)
{
	struct fixture *f = *state;
	char script[64];
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct hook_job job = { .argv = argv, .done = on_done, .arg = f };
	struct hook *k;
	struct stat st;

	snprintf(script, sizeof script, ": > %s/ran", f->dir);
	assert_int_equal(hooks_run(f->hooks, &job, &k), ERR_OK);
	hook_forget(k);
	ev_run(f->loop, 0);
	assert_int_equal(f->n, 0);
	snprintf(script, sizeof script, "%s/ran", f->dir);
	assert_int_equal(stat(script, &st), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_told_in_the_environment),
		cmocka_unit_test(what_is_not_known_is_not_set),
		cmocka_unit_test(lists_end_with_a_blank_and_split_by_family),
		cmocka_unit_test(a_default_route_leaves_the_route_variables_unset),
		cmocka_unit_test(route_commands_expand_their_placeholders),
		CASE(the_exit_status_is_reported),
		CASE(a_script_sees_its_environment_and_nothing_of_ours),
		CASE(a_script_that_hangs_is_killed_with_its_children),
		CASE(scripts_of_one_key_run_in_order_and_others_at_once),
		CASE(more_than_may_run_at_once_wait_in_line),
		CASE(a_forgotten_hook_runs_but_does_not_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
