/* test_auth_pam_talk.c - what PAM modules say and ask, with a client of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/backend/pam_talk.h"

enum { TEXT = 2 * BACKEND_TEXT_MAX };

/* A client that answers "1", "2" and so on, until it leaves. */
struct rig {
	struct pam_talk talk;
	unsigned asked, leaves_at;
	char text[TEXT], answer[8];
	bool echo;
};

static enum err ask(void *arg, const struct verdict *question, struct backend_input *in)
{
	struct rig *r = arg;

	assert_int_equal(question->kind, VERDICT_PROMPT);
	strcpy(r->text, question->text);
	r->echo = question->echo;
	if (++r->asked == r->leaves_at)
		return ERR_CLOSED;
	snprintf(r->answer, sizeof r->answer, "%u", r->asked);
	in->answer = r->answer;
	return ERR_OK;
}

static void begin(struct rig *r, const char *password, bool silent)
{
	struct backend_input in = { .user = "ann", .answer = password, .ask = ask, .ask_arg = r };

	pam_talk_init(&r->talk, r, &in, silent);
}

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	begin(r, "secret", false);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* One message of a module; gives the answer, which lasts until the next call. */
static const char *say(struct rig *r, int style, const char *text, int wanted)
{
	const struct pam_message msg = { style, text };
	const struct pam_message *list = &msg;
	struct pam_response *resp = NULL;
	static char answer[TEXT];

	assert_int_equal(pam_talk_conv(1, &list, &resp, &r->talk), wanted);
	if (!resp)
		return NULL;
	snprintf(answer, sizeof answer, "%s", resp->resp ? resp->resp : "(none)");
	free(resp->resp);
	free(resp);
	return answer;
}

static void first_hidden_question_gets_the_password(void **state)
{
	struct rig *r = *state;

	assert_string_equal(say(r, PAM_PROMPT_ECHO_OFF, "Password: ", PAM_SUCCESS), "secret");
	assert_int_equal(r->asked, 0);
	assert_string_equal(say(r, PAM_PROMPT_ECHO_OFF, "Code: ", PAM_SUCCESS), "1");
	assert_string_equal(r->text, "Code:");
	assert_false(r->echo);
}

static void visible_question_does_not_show_the_password(void **state)
{
	struct rig *r = *state;

	assert_string_equal(say(r, PAM_PROMPT_ECHO_ON, "Place?", PAM_SUCCESS), "1");
	assert_true(r->echo);
	/* The client typed a newer answer than the password by now. */
	assert_string_equal(say(r, PAM_PROMPT_ECHO_OFF, "Password:", PAM_SUCCESS), "secret");
}

static void empty_password_is_an_answer(void **state)
{
	struct rig *r = *state;

	begin(r, "", false);
	assert_string_equal(say(r, PAM_PROMPT_ECHO_OFF, "Password:", PAM_SUCCESS), "");
	assert_int_equal(r->asked, 0);
}

static void texts_are_shown_with_the_next_question(void **state)
{
	struct rig *r = *state;

	assert_string_equal(say(r, PAM_TEXT_INFO, "Be welcome.\n", PAM_SUCCESS), "(none)");
	assert_string_equal(say(r, PAM_PROMPT_ECHO_OFF, "Password:", PAM_SUCCESS), "secret");
	assert_string_equal(say(r, PAM_ERROR_MSG, "Too old.", PAM_SUCCESS), "(none)");
	say(r, PAM_PROMPT_ECHO_OFF, "New password: ", PAM_SUCCESS);
	assert_string_equal(r->text, "Be welcome.\nToo old.\nNew password:");
	say(r, PAM_PROMPT_ECHO_OFF, "Again: ", PAM_SUCCESS);
	assert_string_equal(r->text, "Again:");
}

static void text_after_the_last_question_stays_for_the_refusal(void **state)
{
	struct rig *r = *state;

	say(r, PAM_ERROR_MSG, "Your account has expired.", PAM_SUCCESS);
	assert_string_equal(buf_text(&r->talk.texts), "Your account has expired.");
}

static void long_texts_are_cut(void **state)
{
	struct rig *r = *state;
	char text[TEXT];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	say(r, PAM_TEXT_INFO, text, PAM_SUCCESS);
	say(r, PAM_TEXT_INFO, text, PAM_SUCCESS);
	say(r, PAM_PROMPT_ECHO_ON, text, PAM_SUCCESS);
	assert_int_equal(strlen(r->text), BACKEND_TEXT_MAX);
}

static void several_messages_of_one_call_are_several_forms(void **state)
{
	struct rig *r = *state;
	const struct pam_message msg[] = { { PAM_PROMPT_ECHO_OFF, "Password:" },
					   { PAM_TEXT_INFO, "And now:" },
					   { PAM_PROMPT_ECHO_ON, "Place?" },
					   { PAM_PROMPT_ECHO_OFF, "PIN:" } };
	const struct pam_message *list[] = { &msg[0], &msg[1], &msg[2], &msg[3] };
	static const char *const wanted[] = { "secret", NULL, "1", "2" };
	struct pam_response *resp;

	assert_int_equal(pam_talk_conv(4, list, &resp, &r->talk), PAM_SUCCESS);
	for (unsigned i = 0; i < 4; i++) {
		if (wanted[i])
			assert_string_equal(resp[i].resp, wanted[i]);
		else
			assert_null(resp[i].resp);
		free(resp[i].resp);
	}
	free(resp);
	assert_int_equal(r->asked, 2);
}

static void client_that_left_is_asked_no_more(void **state)
{
	struct rig *r = *state;

	r->leaves_at = 1;
	say(r, PAM_PROMPT_ECHO_ON, "Place?", PAM_CONV_ERR);
	assert_true(r->talk.closed);
	say(r, PAM_PROMPT_ECHO_ON, "Place?", PAM_CONV_ERR);
	say(r, PAM_PROMPT_ECHO_OFF, "Password:", PAM_CONV_ERR);
	assert_int_equal(r->asked, 1);
}

static void nobody_is_asked_about_an_account(void **state)
{
	struct rig *r = *state;

	begin(r, NULL, true);
	say(r, PAM_TEXT_INFO, "3 days left", PAM_SUCCESS);
	say(r, PAM_PROMPT_ECHO_OFF, "Password:", PAM_CONV_ERR);
	assert_int_equal(r->asked, 0);
}

static void messages_for_a_screen_are_refused(void **state)
{
	struct rig *r = *state;
	struct pam_response *resp;

	say(r, PAM_BINARY_PROMPT, "", PAM_CONV_ERR);
	assert_int_equal(pam_talk_conv(0, NULL, &resp, &r->talk), PAM_CONV_ERR);
	assert_int_equal(pam_talk_conv(PAM_MAX_NUM_MSG + 1, NULL, &resp, &r->talk), PAM_CONV_ERR);
}

static void longest_delay_of_a_failure_counts(void **state)
{
	struct rig *r = *state;

	pam_talk_delay(PAM_SUCCESS, 500000, &r->talk);
	assert_int_equal(r->talk.delay_us, 500000);
	pam_talk_delay(PAM_AUTH_ERR, 2000000, &r->talk);
	pam_talk_delay(PAM_AUTH_ERR, 1000000, &r->talk);
	assert_int_equal(r->talk.delay_us, 2000000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_hidden_question_gets_the_password),
		CASE(visible_question_does_not_show_the_password),
		CASE(empty_password_is_an_answer),
		CASE(texts_are_shown_with_the_next_question),
		CASE(text_after_the_last_question_stays_for_the_refusal),
		CASE(long_texts_are_cut),
		CASE(several_messages_of_one_call_are_several_forms),
		CASE(client_that_left_is_asked_no_more),
		CASE(nobody_is_asked_about_an_account),
		CASE(messages_for_a_screen_are_refused),
		CASE(longest_delay_of_a_failure_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
