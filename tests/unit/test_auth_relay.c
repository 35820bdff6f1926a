/* test_auth_relay.c - which KDC a request goes to (protocol.md §8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/relay.h"

static struct conf_kkdcp lines[] = {
	{ "/Kdc", "A", "tcp@192.0.2.1:88" },
	{ "/Kdc", "B", "tcp@192.0.2.2:88" },
	{ "/Kdc", "A", "udp@192.0.2.3:88" },
	{ "/Other", "C", "tcp@192.0.2.4:88" },
};

static void lines_of_one_realm_are_servers_in_their_order(void **state)
{
	struct host_conf host = { .kkdcp = { lines, 4 } };
	TALLOC_CTX *ctx = talloc_new(NULL);
	const struct relay *a;
	struct relays r;

	(void)state;
	assert_int_equal(relays_make(ctx, &host, &r), ERR_OK);
	assert_int_equal(r.n, 3);
	a = relays_find(&r, "/Kdc", "A");
	assert_non_null(a);
	assert_int_equal(a->servers.n, 2);
	assert_string_equal(a->servers.item[0].value, "tcp@192.0.2.1:88");
	assert_string_equal(a->servers.item[1].value, "udp@192.0.2.3:88");
	assert_int_equal(relays_find(&r, "/Kdc", "B")->servers.n, 1);
	talloc_free(ctx);
}

static void realm_is_exact_and_none_means_the_first_of_the_path(void **state)
{
	struct host_conf host = { .kkdcp = { lines, 4 } };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct relays r;

	(void)state;
	assert_int_equal(relays_make(ctx, &host, &r), ERR_OK);
	assert_string_equal(relays_find(&r, "/Kdc", "")->realm, "A");
	assert_string_equal(relays_find(&r, "/Other", "")->realm, "C");
	assert_null(relays_find(&r, "/Kdc", "a"));
	assert_null(relays_find(&r, "/Kdc", "C"));
	assert_null(relays_find(&r, "/Other", "A"));
	assert_null(relays_find(&r, "/kdc", "A"));
	assert_null(relays_find(&r, "/Kdc/", ""));
	talloc_free(ctx);
}

static void without_lines_there_is_no_way(void **state)
{
	struct host_conf host = { .name = "default" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct relays r;

	(void)state;
	assert_int_equal(relays_make(ctx, &host, &r), ERR_OK);
	assert_null(relays_find(&r, "/Kdc", ""));
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_one_realm_are_servers_in_their_order),
		cmocka_unit_test(realm_is_exact_and_none_means_the_first_of_the_path),
		cmocka_unit_test(without_lines_there_is_no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
