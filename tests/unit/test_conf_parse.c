/* test_conf_parse.c - the grammar of config.md 2. */
#include "tests/unit/conf_help.h"

#include "conf/parse.h"

/* Parses TEXT and prints its rows as "vhost|option|value|line;". */
static char *rows_of(TALLOC_CTX *ctx, const char *text, bool hosts, struct conf_report *report)
{
	struct conf_rows rows = { 0 };
	char *out = talloc_strdup(ctx, "");

	if (conf_parse(ctx, "t.conf", text, strlen(text), hosts, report, &rows))
		return talloc_strdup(ctx, "ERROR");
	for (size_t i = 0; i < rows.n; i++)
		out = talloc_asprintf_append(
			out, "%s|%s|%s|%u;", rows.item[i].vhost ? rows.item[i].vhost : "",
			rows.item[i].option, rows.item[i].value, rows.item[i].line);
	return out;
}

struct grammar {
	const char *text, *rows;
};

static const struct grammar good[] = {
	{ "", "" },
	{ "\n  \n\t\n", "" },
	{ "\xef\xbb\xbf"
	  "a = 1\n",
	  "|a|1|1;" },
	{ "a = 1", "|a|1|1;" },
	{ "a=1\r\nb:2\r\n", "|a|1|1;|b|2|2;" },
	{ "  # c\n; c\n   ; c\na = 1\n", "|a|1|4;" },
	{ "a = 90# x\n", "|a|90# x|1;" },
	{ "a = 90 # x\n", "|a|90|1;" },
	{ "a = 90\t#x\n", "|a|90|1;" },
	{ "a = # x\n", "|a||1;" },
	{ "a = x; y\n", "|a|x; y|1;" },
	{ "a = b = c : d\n", "|a|b = c : d|1;" },
	{ "a : b = c\n", "|a|b = c|1;" },
	{ "a = \"quoted text\"   \n", "|a|quoted text|1;" },
	{ "a = \"\"twice\"\"\n", "|a|twice|1;" },
	{ "a = in \"the\" middle\n", "|a|in \"the\" middle|1;" },
	{ "a = \"in \"the\" end\"\n", "|a|in \"the\" end|1;" },
	{ "a = \" blanks stay \"\n", "|a| blanks stay |1;" },
	{ "a = \"\"\n", "|a||1;" },
	{ "included-http-headers = X: \"a\",\"b\"\n", "|included-http-headers|X: \"a\",\"b\"|1;" },
	{ "  a = 1\n", "|a|1|1;" },
	{ "a = 1\n  2\n\n\t\"3\"\n", "|a|1|1;|a|2|2;|a|3|4;" },
	{ "a = 1\n  b = 2\n", "|a|1|1;|a|b = 2|2;" },
	{ "a = 1\n  # c\n  2\n", "|a|1|1;|a|2|3;" },
	{ "a = 1\n[vhost:x]\n  b = 2\n", "|a|1|1;x|b|2|3;" },
	{ "[vhost:x.example]\na = 1\n[vhost: y ]\na = 2\n[vhost:x.example]\nb = 3\n",
	  "x.example|a|1|2;y|a|2|4;x.example|b|3|6;" },
	{ "[vhost:X] junk\na = 1\n", "X|a|1|2;" },
	{ "[vhost:empty]\n", "" },
	{ "[other]\na = 1\n  2\n[vhost:x]\na = 3\n", "x|a|3|5;" },
	{ "Key-Case = V\n", "|Key-Case|V|1;" },
};

static void rows_follow_the_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fixture f = fixture_new();

		assert_string_equal(rows_of(f.ctx, good[i].text, true, f.report), good[i].rows);
		talloc_free(f.ctx);
	}
}

static const struct grammar bad[] = {
	{ "a = 1\nno separator\n", "t.conf:2: config file error in line 2" },
	{ "a = 1\n\n[vhost:x\n", "t.conf:3: config file error in line 3" },
	{ "key # comment = x\n", "config file error in line 1" },
	{ "[vhost:]\n", "virtual host name is illegal ''" },
	{ "[vhost:   ]\n", "virtual host name is illegal ''" },
	{ "[vhost:b\xfc"
	  "cher]\na = 1\n",
	  "virtual host name is illegal 'b\xfc"
	  "cher'" },
};

static void syntax_errors_name_their_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture f = fixture_new();

		assert_string_equal(rows_of(f.ctx, bad[i].text, true, f.report), "ERROR");
		assert_true(fixture_said(&f, bad[i].rows));
		talloc_free(f.ctx);
	}
}

static void every_syntax_error_is_told(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	rows_of(f.ctx, "one\na = 1\ntwo\nthree\n", true, f.report);
	assert_int_equal(f.report->errors, 3);
	assert_true(fixture_said(&f, "t.conf:1:"));
	assert_true(fixture_said(&f, "t.conf:3:"));
	assert_true(fixture_said(&f, "t.conf:4:"));
	talloc_free(f.ctx);
}

static void a_line_holds_2047_bytes_and_not_one_more(void **state)
{
	struct fixture f = fixture_new();
	char *line = talloc_array(f.ctx, char, CONF_LINE_MAX + 2);

	(void)state;
	memset(line, 'x', CONF_LINE_MAX + 1);
	memcpy(line, "a = ", 4);
	line[CONF_LINE_MAX] = '\0';
	assert_true(strlen(rows_of(f.ctx, line, true, f.report)) > CONF_LINE_MAX - 4);
	assert_int_equal(f.report->errors, 0);
	line[CONF_LINE_MAX] = 'x';
	line[CONF_LINE_MAX + 1] = '\0';
	assert_string_equal(rows_of(f.ctx, line, true, f.report), "ERROR");
	talloc_free(f.ctx);
}

static void a_nul_byte_is_an_error(void **state)
{
	struct fixture f = fixture_new();
	struct conf_rows rows = { 0 };

	(void)state;
	assert_int_equal(conf_parse(f.ctx, "t", "a = 1\0b\n", 8, true, f.report, &rows), ERR_CONF);
	talloc_free(f.ctx);
}

static void a_unicode_host_becomes_its_a_label(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_string_equal(rows_of(f.ctx,
				    "[vhost:b\xc3\xbc"
				    "cher.example]\na = 1\n",
				    true, f.report),
			    "xn--bcher-kva.example|a|1|2;");
	assert_true(fixture_said(&f, "virtual host name 'b\xc3\xbc"
				     "cher.example' was "
				     "canonicalized to 'xn--bcher-kva.example'"));
	talloc_free(f.ctx);
}

static void a_section_name_is_cut_to_49_bytes(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_string_equal(
		rows_of(f.ctx, "[vhost:0123456789012345678901234567890123456789012-cut]\na = 1\n",
			true, f.report),
		"0123456789012345678901234567890123456789012|a|1|2;");
	assert_int_equal(f.report->warnings, 1);
	talloc_free(f.ctx);
}

static void per_user_files_have_no_sections(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_string_equal(rows_of(f.ctx, "a = 1\n[vhost:x]\nb = 2\n", false, f.report),
			    "|a|1|1;");
	assert_true(fixture_said(&f, "info: t.conf:2: skipping unknown section 'vhost:x'"));
	assert_int_equal(f.report->warnings, 0);
	talloc_free(f.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_the_grammar),
		cmocka_unit_test(syntax_errors_name_their_line),
		cmocka_unit_test(every_syntax_error_is_told),
		cmocka_unit_test(a_line_holds_2047_bytes_and_not_one_more),
		cmocka_unit_test(a_nul_byte_is_an_error),
		cmocka_unit_test(a_unicode_host_becomes_its_a_label),
		cmocka_unit_test(a_section_name_is_cut_to_49_bytes),
		cmocka_unit_test(per_user_files_have_no_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
