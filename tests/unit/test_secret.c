/* test_secret.c - secrets are wiped and compared whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void a_secret_keeps_its_bytes_and_a_nul(void **state)
{
	struct secret *s = secret_new(NULL, "ab\0cd", 5);

	(void)state;
	assert_int_equal(s->len, 5);
	assert_memory_equal(s->data, "ab\0cd", 6);
	assert_string_equal(secret_text(s), "ab");
	talloc_free(s);
	s = secret_new(NULL, NULL, 0);
	assert_int_equal(s->len, 0);
	talloc_free(s);
}

/* A pool keeps the memory of freed chunks readable, so what remains there can be seen. */
static void freeing_wipes(void **state)
{
	TALLOC_CTX *pool = talloc_pool(NULL, 4096);
	struct secret *s = secret_new(pool, "hunter2", 7);
	char *text = talloc_strdup(pool, "swordfish");
	const volatile char *a = (const volatile char *)s->data, *b = text;

	(void)state;
	secret_mark(text);
	assert_int_equal(a[0], 'h');
	talloc_free(s);
	assert_int_equal(a[0], 0);
	assert_int_equal(b[0], 's');
	talloc_free(text);
	assert_int_equal(b[0], 0);
	talloc_free(pool);
}

static void comparison_sees_every_byte(void **state)
{
	(void)state;
	assert_true(secret_equal("abc", "abc", 3));
	assert_false(secret_equal("abc", "abd", 3));
	assert_false(secret_equal("abc", "bbc", 3));
	assert_true(secret_equal("a", "b", 0));
}

static void random_bytes_fill_all(void **state)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };

	(void)state;
	secret_random(a, sizeof a);
	secret_random(b, sizeof b);
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(a + sizeof a - 16, b + sizeof b - 16, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_keeps_its_bytes_and_a_nul),
		cmocka_unit_test(freeing_wipes),
		cmocka_unit_test(comparison_sees_every_byte),
		cmocka_unit_test(random_bytes_fill_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
