/* test_trim.c - smaller after the start, and still working. */
#include "base/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* Resident pages of files, in KiB. */
static unsigned long resident_files(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "RssFile: %lu kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void pages_of_the_start_are_given_back_and_code_still_runs(void **state)
{
	unsigned long before = resident_files(), after;
	const char *text = err_text(ERR_NOMEM);

	(void)state;
	trim_after_start();
	after = resident_files();
	assert_true(after < before);
	assert_string_equal(text, "out of memory"); /* constants come back as they were */
	assert_string_equal(err_text(ERR_BUSY), "resource is in use");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_the_start_are_given_back_and_code_still_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
