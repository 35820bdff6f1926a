/* test_url.c - URLs as they may be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/url.h"

static void pins_are_hidden(void **state)
{
	static const struct {
		const char *in, *shown;
	} rows[] = {
		{ "pkcs11:token=a;object=b", "pkcs11:token=a;object=b" },
		{ "pkcs11:token=a?pin-value=1234", "pkcs11:token=a?pin-value=..." },
		{ "PKCS11:token=a?PIN-Value=1234&module-name=m",
		  "PKCS11:token=a?PIN-Value=...&module-name=m" },
		{ "pkcs11:pin-value=12;token=a?pin-value=34",
		  "pkcs11:pin-value=...;token=a?pin-value=..." },
		{ "pkcs11:token=a?pin-value=", "pkcs11:token=a?pin-value=..." },
		{ "/etc/pin-value=1234", "/etc/pin-value=1234" },
		{ "", "" },
	};
	TALLOC_CTX *ctx = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(url_printable(ctx, rows[i].in), rows[i].shown);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
