/* test_buf.c - the growing buffer and its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void pieces_are_appended(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf b;

	(void)state;
	buf_init(&b, ctx, 1 << 20);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i % 10);
	buf_putc(&b, 'x');
	buf_puts(&b, "yz");
	buf_put(&b, NULL, 0);
	assert_int_equal(b.len, 2003);
	assert_string_equal(buf_text(&b) + 1998, "9,xyz");
	assert_false(b.failed);
	talloc_free(ctx);
}

static void beyond_the_limit_it_fails_and_stays_failed(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf b;

	(void)state;
	buf_init(&b, ctx, 4);
	buf_puts(&b, "1234");
	assert_false(b.failed);
	buf_putc(&b, '5');
	assert_true(b.failed);
	assert_int_equal(b.len, 4);
	buf_reset(&b);
	buf_printf(&b, "%s", "12345");
	assert_true(b.failed);
	buf_puts(&b, "1");
	assert_int_equal(b.len, 0);
	talloc_free(ctx);
}

static void xml_is_escaped(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct buf b;

	(void)state;
	buf_init(&b, ctx, 1000);
	buf_put_xml(&b, "a<b>&\"c\"\x01\r\n\t\xc3\xa4");
	assert_string_equal(buf_text(&b), "a&lt;b&gt;&amp;&quot;c&quot;\n\t\xc3\xa4");
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_appended),
		cmocka_unit_test(beyond_the_limit_it_fails_and_stays_failed),
		cmocka_unit_test(xml_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
