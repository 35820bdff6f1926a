/* test_cmd.c - occtl's commands: parsing, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/cmd.h"
#include "ctl/complete.h"

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	return talloc_free(*state);
}

/* LINE must be command NAME with argument TEXT (NULL: none). */
static struct cmd_value parsed(TALLOC_CTX *ctx, const char *line, const char *name,
			       const char *text)
{
	struct cmd_value v;
	const struct cmd *c = NULL;

	assert_int_equal(cmd_parse(ctx, line, true, &c, &v), CMD_FOUND);
	assert_string_equal(c->name, name);
	if (text)
		assert_string_equal(v.text, text);
	else
		assert_null(v.text);
	return v;
}

static enum cmd_match match(TALLOC_CTX *ctx, const char *line, bool interactive)
{
	struct cmd_value v;
	const struct cmd *c;

	return cmd_parse(ctx, line, interactive, &c, &v);
}

static void words_are_found_in_any_case_with_any_blanks(void **state)
{
	parsed(*state, "show users", "show users", NULL);
	parsed(*state, "  SHOW \t Users  ", "show users", NULL);
	parsed(*state, "show ip bans", "show ip bans", NULL);
	parsed(*state, "show ip ban points", "show ip ban points", NULL);
	parsed(*state, "stop", "stop", NULL);
	parsed(*state, "stop now", "stop now", NULL);
	parsed(*state, "?", "?", NULL);
	parsed(*state, "help", "help", NULL);
	parsed(*state, "show cookies all", "show cookies all", NULL);
}

static void a_user_name_goes_to_the_end_of_the_line(void **state)
{
	parsed(*state, "show user a b  c ", "show user", "a b  c");
	parsed(*state, "DISCONNECT USER Ann", "disconnect user", "Ann");
	parsed(*state, "terminate user s", "terminate user", "s");
}

static void the_first_command_of_the_list_wins(void **state)
{
	parsed(*state, "show sessions all", "show sessions all", NULL);
	parsed(*state, "show session all", "show session", "all");
	parsed(*state, "show session ndhD0C", "show session", "ndhD0C");
}

static void arguments_are_checked(void **state)
{
	struct cmd_value v = parsed(*state, "disconnect id 3713", "disconnect id", "3713");

	assert_int_equal(v.id, 3713);
	assert_int_equal(match(*state, "disconnect id x", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "disconnect id -1", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "disconnect id 0", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "show id 99999999999", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "show user", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "show user  ", false), CMD_ARGUMENT);
	assert_int_equal(match(*state, "unban ip 10.1", false), CMD_BAD_IP);
	v = parsed(*state, "unban ip 2001:db8::1", "unban ip", "2001:db8::1");
	assert_int_equal(v.addr.family, AF_INET6);
}

static void beginnings_and_unknown_words_are_told_apart(void **state)
{
	assert_int_equal(match(*state, "show", false), CMD_PREFIX);
	assert_int_equal(match(*state, "sho", false), CMD_PREFIX);
	assert_int_equal(match(*state, "show ip", false), CMD_PREFIX);
	assert_int_equal(match(*state, "show ip ban", false), CMD_PREFIX);
	assert_int_equal(match(*state, "disconnect", false), CMD_PREFIX);
	assert_int_equal(match(*state, "foo", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, "show foo", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, "showusers", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, "stop later", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, "reload now", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, " \t", false), CMD_EMPTY);
}

static void shell_commands_exist_only_in_the_shell(void **state)
{
	parsed(*state, "exit", "exit", NULL);
	parsed(*state, "quit", "quit", NULL);
	parsed(*state, "reset", "reset", NULL);
	assert_int_equal(match(*state, "exit", false), CMD_UNKNOWN);
	assert_int_equal(match(*state, "reset", false), CMD_UNKNOWN);
}

static void help_lists_what_a_line_may_become(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	cmd_print_help(out, "terminate", false);
	fclose(out);
	assert_non_null(strstr(text, "terminate user [NAME]\t"));
	assert_non_null(strstr(text, "terminate session [SID]\t"));
	assert_null(strstr(text, "show"));
	free(text);
	out = open_memstream(&text, &len);
	cmd_print_help(out, "", false);
	fclose(out);
	assert_memory_equal(text, " disconnect user [NAME]\t", 24);
	assert_non_null(strstr(text, "           reload\t"));
	assert_non_null(strstr(text, "     unban ip [IP]\t"));
	assert_non_null(strstr(text, "        help or ?\t"));
	assert_null(strstr(text, "cookies"));
	assert_null(strstr(text, "exit"));
	free(text);
}

/* Completing LINE offers exactly WORDS (NULL-terminated) and then an argument of kind ARG. */
static void assert_offer(TALLOC_CTX *ctx, const char *line, enum cmd_arg arg,
			 const char *const *words)
{
	struct cmd_next next;
	size_t n = 0;

	assert_int_equal(cmd_complete(ctx, line, &next), ERR_OK);
	assert_int_equal(next.arg, arg);
	for (; words[n]; n++)
		assert_true(strv_has(&next.words, words[n]));
	assert_int_equal(next.words.n, n);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void completion_offers_the_next_word(void **state)
{
	assert_offer(*state, "", ARG_NONE,
		     WORDS("disconnect", "terminate", "unban", "reload", "show", "stop", "reset",
			   "help", "exit", "quit"));
	assert_offer(*state, "re", ARG_NONE, WORDS("reload", "reset"));
	assert_offer(*state, "show", ARG_NONE, WORDS("show"));
	assert_offer(*state, "show u", ARG_NONE, WORDS("users", "user"));
	assert_offer(*state, "show user", ARG_NONE, WORDS("users", "user"));
	assert_offer(*state, "show ip ", ARG_NONE, WORDS("bans", "ban"));
	assert_offer(*state, "SHOW SESSIONS v", ARG_NONE, WORDS("valid"));
	assert_offer(*state, "stop ", ARG_NONE, WORDS("now"));
	assert_offer(*state, "nothing", ARG_NONE, WORDS());
}

static void completion_knows_what_kind_of_argument_follows(void **state)
{
	assert_offer(*state, "show user ", ARG_USER, WORDS());
	assert_offer(*state, "show user an", ARG_USER, WORDS());
	assert_offer(*state, "disconnect id 1", ARG_ID, WORDS());
	assert_offer(*state, "unban ip ", ARG_IP, WORDS());
	assert_offer(*state, "terminate session x", ARG_SID, WORDS());
}

/* What of LINE is replaced. */
static const char *word_of(TALLOC_CTX *ctx, const char *line)
{
	struct cmd_next next;

	assert_int_equal(cmd_complete(ctx, line, &next), ERR_OK);
	return next.word;
}

static void the_word_under_the_cursor_is_found(void **state)
{
	struct strv words = { 0 };

	assert_string_equal(word_of(*state, ""), "");
	assert_string_equal(word_of(*state, "show us"), "us");
	assert_string_equal(word_of(*state, "show "), "");
	assert_string_equal(word_of(*state, "show user a b"), "a b");
	assert_string_equal(word_of(*state, "  show  user "), "");
	assert_string_equal(word_of(*state, "show config user an"), "an");
	assert_string_equal(word_of(*state, "unban ip 10."), "10.");
	assert_int_equal(strv_add(*state, &words, "bans"), ERR_OK);
	assert_int_equal(complete_common(&words), 4);
	assert_int_equal(strv_add(*state, &words, "ban"), ERR_OK);
	assert_int_equal(complete_common(&words), 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(words_are_found_in_any_case_with_any_blanks),
		CASE(a_user_name_goes_to_the_end_of_the_line),
		CASE(the_first_command_of_the_list_wins),
		CASE(arguments_are_checked),
		CASE(beginnings_and_unknown_words_are_told_apart),
		CASE(shell_commands_exist_only_in_the_shell),
		CASE(help_lists_what_a_line_may_become),
		CASE(completion_offers_the_next_word),
		CASE(completion_knows_what_kind_of_argument_follows),
		CASE(the_word_under_the_cursor_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
