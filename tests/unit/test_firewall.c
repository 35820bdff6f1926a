/* test_firewall.c - changes of rules: together, one by one, after a loss.  nft is played here. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <ev.h>

#include "main/firewall.h"
#include "main/fw_watch.h"
#include "main/nft.h"

/* The kernel's side; the firewall's thread calls it. */
static struct {
	pthread_mutex_t lock;
	bool has_table, goes_unseen;
	unsigned runs, queries;
	char last[1 << 16];
} kernel = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum err nft_run(TALLOC_CTX *ctx, const char *text, char **why)
{
	bool ok;

	pthread_mutex_lock(&kernel.lock);
	kernel.runs++;
	snprintf(kernel.last, sizeof kernel.last, "%s", text);
	if (strstr(text, "add table"))
		kernel.has_table = true;
	ok = kernel.has_table && !strstr(text, "bad0");
	if (strstr(text, "delete table"))
		kernel.has_table = false;
	pthread_mutex_unlock(&kernel.lock);
	if (ok)
		return ERR_OK;
	if (why)
		*why = talloc_strdup(ctx, "not so");
	return ERR_SYS;
}

enum err nft_query(TALLOC_CTX *ctx, const char *text, char **out)
{
	bool has;

	(void)text;
	pthread_mutex_lock(&kernel.lock);
	has = kernel.has_table;
	kernel.queries++;
	pthread_mutex_unlock(&kernel.lock);
	if (!has)
		return ERR_SYS;
	*out = talloc_strdup(ctx, "map { elements = { \"vpns7\" : jump x } }");
	return ERR_OK;
}

static void set_table(bool there)
{
	pthread_mutex_lock(&kernel.lock);
	kernel.has_table = there;
	kernel.goes_unseen = false;
	kernel.runs = kernel.queries = 0;
	pthread_mutex_unlock(&kernel.lock);
}

/* Whom the kernel tells that a table was removed; the loop's. */
static struct {
	void (*removed)(void *arg);
	void *arg;
} watch;

enum err fw_watch_new(TALLOC_CTX *ctx, struct ev_loop *loop, void (*removed)(void *arg), void *arg,
		      struct fw_watch **out)
{
	(void)loop;
	watch.removed = removed;
	watch.arg = arg;
	if (kernel.goes_unseen)
		set_table(false);
	*out = talloc_new(ctx);
	return ERR_OK;
}

struct rig {
	struct ev_loop *loop;
	struct firewall *fw;
	struct firewall_ops ops;
	unsigned waiting, lost;
};

/* One add, and what became of it. */
struct answer {
	struct rig *rig;
	bool told, ok;
	char why[32];
	struct fw_change *change;
};

static void on_done(void *arg, bool ok, const char *why)
{
	struct answer *a = arg;

	a->told = true;
	a->ok = ok;
	snprintf(a->why, sizeof a->why, "%s", why);
	if (!--a->rig->waiting)
		ev_break(a->rig->loop, EVBREAK_ALL);
}

static void on_lost(void *arg)
{
	struct rig *rig = arg;

	rig->lost++;
	ev_break(rig->loop, EVBREAK_ALL);
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .loop = ev_loop_new(EVFLAG_AUTO), .ops = { on_done, on_lost, rig } };
	set_table(false);
	assert_int_equal(firewall_new(NULL, rig->loop, "t", &rig->ops, &rig->fw), ERR_OK);
}

static void rig_free(struct rig *rig)
{
	talloc_free(rig->fw);
	ev_loop_destroy(rig->loop);
}

static void add(struct rig *rig, const char *device, bool replace, struct answer *a)
{
	static const struct conf_routes none = { 0 };
	struct conf_port port = { CONF_PROTO_TCP, 443, false };
	const struct conf_ports ports = { &port, 1 };
	const struct fw_rules rules = { device, NULL, false, &none, &none, &ports };

	*a = (struct answer){ .rig = rig };
	assert_int_equal(firewall_add(rig->fw, &rules, replace, a, &a->change), ERR_OK);
	rig->waiting++;
}

static void wait_all(struct rig *rig)
{
	while (rig->waiting)
		ev_run(rig->loop, 0);
}

static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

/* Waits until a loss is told of; whether it was. */
static bool wait_loss(struct rig *rig)
{
	ev_timer late;

	ev_timer_init(&late, on_late, 10, 0);
	ev_timer_start(rig->loop, &late);
	ev_run(rig->loop, 0);
	ev_timer_stop(rig->loop, &late);
	return rig->lost;
}

/* Until the thread has asked the kernel N times. */
static void wait_queries(unsigned n)
{
	const struct timespec moment = { 0, 1000000 };
	bool done = false;

	while (!done) {
		nanosleep(&moment, NULL);
		pthread_mutex_lock(&kernel.lock);
		done = kernel.queries >= n;
		pthread_mutex_unlock(&kernel.lock);
	}
}

static void a_change_that_is_refused_harms_no_other(void **state)
{
	struct rig rig;
	struct answer one, bad, two;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &one);
	add(&rig, "bad0", false, &bad);
	add(&rig, "vpns1", false, &two);
	wait_all(&rig);
	assert_true(one.ok && two.ok);
	assert_false(bad.ok);
	assert_string_equal(bad.why, "not so");
	assert_int_equal(rig.lost, 0);
	rig_free(&rig);
}

static void a_table_that_somebody_removed_is_told_of_once(void **state)
{
	struct rig rig;
	struct answer a;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &a);
	wait_all(&rig);
	assert_int_equal(rig.lost, 0);
	set_table(false);
	add(&rig, "vpns1", false, &a);
	wait_all(&rig);
	assert_true(a.ok);
	assert_int_equal(rig.lost, 1);
	add(&rig, "vpns2", false, &a);
	wait_all(&rig);
	assert_int_equal(rig.lost, 1);
	rig_free(&rig);
}

static void a_table_that_goes_after_another_was_looked_into_is_told_of(void **state)
{
	struct rig rig;
	struct answer a;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &a);
	wait_all(&rig);
	watch.removed(watch.arg); /* another's */
	wait_queries(1);
	set_table(false);
	watch.removed(watch.arg); /* before the loop has heard the answer */
	assert_true(wait_loss(&rig));
	rig_free(&rig);
}

static void a_table_that_goes_before_anybody_listens_is_told_of(void **state)
{
	struct rig rig;
	struct strv got = { 0 };

	(void)state;
	rig_init(&rig);
	set_table(true);
	kernel.goes_unseen = true;
	assert_int_equal(firewall_devices(rig.fw, rig.fw, &got), ERR_OK);
	assert_int_equal(got.n, 1);
	assert_true(wait_loss(&rig));
	rig_free(&rig);
}

static void the_loss_is_told_of_when_the_change_fails_too(void **state)
{
	struct rig rig;
	struct answer a;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &a);
	wait_all(&rig);
	set_table(false);
	add(&rig, "bad0", false, &a);
	wait_all(&rig);
	assert_false(a.ok);
	assert_int_equal(rig.lost, 1);
	rig_free(&rig);
}

static void who_does_not_wait_is_not_told(void **state)
{
	struct rig rig;
	struct answer gone, stays;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &gone);
	firewall_forget(gone.change);
	rig.waiting--;
	add(&rig, "vpns1", false, &stays);
	wait_all(&rig);
	assert_true(stays.ok);
	assert_false(gone.told);
	rig_free(&rig);
}

static void replacing_is_one_transaction(void **state)
{
	struct rig rig;
	struct answer a;

	(void)state;
	rig_init(&rig);
	add(&rig, "vpns0", false, &a);
	wait_all(&rig);
	set_table(true);
	add(&rig, "vpns0", true, &a);
	wait_all(&rig);
	assert_int_equal(kernel.runs, 1);
	assert_non_null(strstr(kernel.last, "delete chain inet t session_vpns0\n"));
	assert_non_null(strstr(kernel.last, "create chain inet t session_vpns0\n"));
	rig_free(&rig);
}

static void a_device_with_an_odd_name_gets_no_rules(void **state)
{
	static const struct conf_routes none = { 0 };
	static const struct conf_ports ports = { 0 };
	const struct fw_rules rules = { "a\"b", NULL, false, &none, &none, &ports };
	struct rig rig;

	(void)state;
	rig_init(&rig);
	assert_int_equal(firewall_add(rig.fw, &rules, false, NULL, NULL), ERR_RANGE);
	rig_free(&rig);
}

static void the_end_leaves_no_table(void **state)
{
	struct rig rig;
	struct answer a;

	(void)state;
	rig_init(&rig);
	for (int i = 0; i < 200; i++) /* most of them are never run */
		add(&rig, "vpns0", true, &a);
	rig_free(&rig);
	assert_false(kernel.has_table);
}

static void devices_that_have_rules_are_found(void **state)
{
	struct rig rig;
	struct strv got = { 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	rig_init(&rig);
	assert_int_equal(firewall_devices(rig.fw, ctx, &got), ERR_OK);
	assert_int_equal(got.n, 0);
	set_table(true);
	assert_int_equal(firewall_devices(rig.fw, ctx, &got), ERR_OK);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.item[0], "vpns7");
	rig_free(&rig);
	talloc_free(ctx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_that_is_refused_harms_no_other),
		cmocka_unit_test(a_table_that_somebody_removed_is_told_of_once),
		cmocka_unit_test(a_table_that_goes_after_another_was_looked_into_is_told_of),
		cmocka_unit_test(a_table_that_goes_before_anybody_listens_is_told_of),
		cmocka_unit_test(the_loss_is_told_of_when_the_change_fails_too),
		cmocka_unit_test(who_does_not_wait_is_not_told),
		cmocka_unit_test(replacing_is_one_transaction),
		cmocka_unit_test(a_device_with_an_odd_name_gets_no_rules),
		cmocka_unit_test(the_end_leaves_no_table),
		cmocka_unit_test(devices_that_have_rules_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
