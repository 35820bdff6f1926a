/* test_super_manager.c - what the service manager hears, from a socket of our own as sd_notify(3)
 * describes it, and who is asked and given up for the watchdog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "super/manager.h"
#include "super/notify.h"

/* ---- addresses ------------------------------------------------------------ */

static void a_path_and_an_abstract_name_become_addresses(void **state)
{
	struct sockaddr_un sa;
	socklen_t len;

	(void)state;
	assert_int_equal(notify_address("/run/x", &sa, &len), ERR_OK);
	assert_string_equal(sa.sun_path, "/run/x");
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 7);
	assert_int_equal(notify_address("@name", &sa, &len), ERR_OK);
	assert_memory_equal(sa.sun_path, "\0name", 5);
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 5);
}

static void other_families_and_long_names_are_refused(void **state)
{
	static const char *const bad[] = { "", "/", "@", "vsock:2:1234", "run/x" };
	char name[sizeof(struct sockaddr_un)];
	struct sockaddr_un sa;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(notify_address(bad[i], &sa, &len), ERR_UNSUPPORTED);
	memset(name, 'x', sizeof name);
	name[0] = '/';
	name[sizeof sa.sun_path] = '\0';
	assert_int_equal(notify_address(name, &sa, &len), ERR_TOO_LONG);
	name[sizeof sa.sun_path - 1] = '\0';
	assert_int_equal(notify_address(name, &sa, &len), ERR_OK);
}

/* ---- a manager ------------------------------------------------------------ */

enum { ROLES = 8 };

struct world {
	struct ev_loop *loop;
	struct manager *manager;
	int socket;
	char path[64];
	unsigned asked[ROLES], hung[ROLES];
	bool dumb[ROLES]; /* does not answer */
};

static void on_ask(void *arg, Role role)
{
	struct world *w = arg;
	Pong pong = PONG__INIT;

	w->asked[role]++;
	pong.sessions = 1;
	pong.connections = 2;
	if (!w->dumb[role])
		manager_answered(w->manager, role, &pong);
}

static void on_hangs(void *arg, Role role)
{
	struct world *w = arg;

	w->hung[role]++;
	w->dumb[role] = false; /* its successor is well */
	manager_started(w->manager, role);
}

static const struct manager_ops ops = { on_ask, on_hangs };

/* USEC: WATCHDOG_USEC, NULL without. */
static struct world *world_new(const char *usec, const char *pid)
{
	struct world *w = talloc_zero(NULL, struct world);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(w->path, sizeof w->path, "/tmp/sallyport-notify.%d", (int)getpid());
	unlink(w->path);
	memcpy(sa.sun_path, w->path, strlen(w->path));
	w->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w->socket, (struct sockaddr *)&sa, sizeof sa), 0);
	setenv("NOTIFY_SOCKET", w->path, 1);
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	w->loop = ev_loop_new(EVFLAG_AUTO);
	assert_int_equal(manager_new(w, w->loop, &ops, w, &w->manager), ERR_OK);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	return w;
}

static void world_free(struct world *w)
{
	TALLOC_FREE(w->manager);
	ev_loop_destroy(w->loop);
	close(w->socket);
	unlink(w->path);
	talloc_free(w);
}

/* The next word, "" without. */
static const char *heard(struct world *w)
{
	char text[512];
	ssize_t n = recv(w->socket, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return talloc_strdup(w, text);
}

static void on_over(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)timer;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void run_for(struct world *w, double seconds)
{
	ev_timer over;

	ev_timer_init(&over, on_over, seconds, 0);
	ev_timer_start(w->loop, &over);
	ev_run(w->loop, 0);
}

static void words_come_in_the_order_of_a_life(void **state)
{
	struct world *w = world_new(NULL, NULL);
	char ready[64];

	(void)state;
	snprintf(ready, sizeof ready, "READY=1\nMAINPID=%d\nSTATUS=Serving.", (int)getpid());
	assert_string_equal(heard(w), "");
	manager_ready(w->manager);
	assert_string_equal(heard(w), ready);
	assert_string_equal(heard(w), "STATUS=Serving: 1 session, 2 connections.");
	manager_reload(w->manager, true);
	assert_non_null(strstr(heard(w), "RELOADING=1\nMONOTONIC_USEC="));
	manager_reload(w->manager, false);
	assert_non_null(strstr(heard(w), "READY=1\n"));
	manager_stopping(w->manager, 7000);
	assert_string_equal(heard(w), "STOPPING=1\nSTATUS=Ending.\nEXTEND_TIMEOUT_USEC=7000000");
	manager_stopping(w->manager, 9000);
	manager_ready(w->manager);
	manager_reload(w->manager, true);
	assert_string_equal(heard(w), "");
	/* Without a watchdog nobody but main was asked. */
	assert_int_equal(w->asked[ROLE__ROLE_MAIN], 1);
	assert_int_equal(w->asked[ROLE__ROLE_AUTH] + w->asked[ROLE__ROLE_ZYGOTE], 0);
	world_free(w);
}

static unsigned alive(struct world *w)
{
	unsigned n = 0;

	for (const char *word = heard(w); *word; word = heard(w))
		n += strcmp(word, "WATCHDOG=1") == 0;
	return n;
}

static void the_watchdog_is_told_while_all_answer(void **state)
{
	struct world *w = world_new("200000", NULL);

	(void)state;
	run_for(w, 0.1);
	assert_int_equal(alive(w), 0); /* not before it serves */
	manager_ready(w->manager);
	run_for(w, 0.22);
	assert_in_range(alive(w), 2, 4); /* four times in its interval */
	assert_in_range(w->asked[ROLE__ROLE_ZYGOTE], 2, 4);
	manager_end(w->manager);
	run_for(w, 0.1);
	assert_int_equal(alive(w), 0);
	world_free(w);
}

static void who_does_not_answer_stops_it_and_is_given_up(void **state)
{
	struct world *w = world_new("1200000", NULL);

	(void)state;
	manager_ready(w->manager);
	w->dumb[ROLE__ROLE_MAIN] = w->dumb[ROLE__ROLE_ZYGOTE] = true;
	run_for(w, 0.45); /* asked at 0.3 */
	assert_int_equal(alive(w), 0);
	assert_int_equal(w->hung[ROLE__ROLE_MAIN] + w->hung[ROLE__ROLE_ZYGOTE], 0);
	run_for(w, 0.3); /* given up at 0.6, and those in their places answer */
	assert_int_equal(w->hung[ROLE__ROLE_MAIN], 1);
	assert_int_equal(w->hung[ROLE__ROLE_ZYGOTE], 1);
	assert_int_equal(w->hung[ROLE__ROLE_AUTH], 0);
	assert_int_equal(alive(w), 1);
	world_free(w);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
	struct world *w = world_new("200000", "1");

	(void)state;
	manager_ready(w->manager);
	run_for(w, 0.12);
	assert_int_equal(alive(w), 0);
	assert_int_equal(w->asked[ROLE__ROLE_AUTH], 0);
	world_free(w);
}

static void without_a_manager_nobody_is_asked(void **state)
{
	struct world *w = talloc_zero(NULL, struct world);

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	w->loop = ev_loop_new(EVFLAG_AUTO);
	assert_int_equal(manager_new(w, w->loop, &ops, w, &w->manager), ERR_OK);
	manager_ready(w->manager);
	manager_reload(w->manager, true);
	manager_stopping(w->manager, 1);
	run_for(w, 0.02);
	assert_int_equal(w->asked[ROLE__ROLE_MAIN], 0);
	TALLOC_FREE(w->manager);
	ev_loop_destroy(w->loop);
	talloc_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_and_an_abstract_name_become_addresses),
		cmocka_unit_test(other_families_and_long_names_are_refused),
		cmocka_unit_test(words_come_in_the_order_of_a_life),
		cmocka_unit_test(the_watchdog_is_told_while_all_answer),
		cmocka_unit_test(who_does_not_answer_stops_it_and_is_given_up),
		cmocka_unit_test(a_watchdog_of_another_process_is_not_ours),
		cmocka_unit_test(without_a_manager_nobody_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
