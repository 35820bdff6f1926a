/* pam_quiz.c - a PAM module for tests: says and asks what its arguments tell, one after the other.
 *
 *	info:TEXT error:TEXT	said
 *	show:PROMPT=ANSWER	asked; the answer may be seen while it is typed
 *	hide:PROMPT=ANSWER	asked; it may not
 *	delay:MICROSECONDS	what a failure should take longer
 *	user:NAME		who the user really is
 *	hang			never comes back
 *
 * Underscores in texts are blanks.  Every phase does the same; a wrong answer fails it. */
#define PAM_SM_AUTH
#define PAM_SM_ACCOUNT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

static void blanks(char *text)
{
	for (; *text; text++)
		if (*text == '_')
			*text = ' ';
}

static int ask(pam_handle_t *pam, int style, char *prompt)
{
	char *wanted = strchr(prompt, '='), *answer = NULL;
	int status;

	if (!wanted)
		return PAM_SERVICE_ERR;
	*wanted++ = '\0';
	blanks(prompt);
	status = pam_prompt(pam, style, &answer, "%s", prompt);
	if (status == PAM_SUCCESS && (!answer || strcmp(answer, wanted) != 0))
		status = PAM_AUTH_ERR;
	free(answer);
	return status;
}

static int say(pam_handle_t *pam, int style, char *text)
{
	blanks(text);
	return pam_prompt(pam, style, NULL, "%s", text);
}

static int obey(pam_handle_t *pam, char *word)
{
	char *text = strchr(word, ':');

	if (strcmp(word, "hang") == 0)
		for (;;)
			pause();
	if (!text)
		return PAM_SERVICE_ERR;
	*text++ = '\0';
	if (strcmp(word, "info") == 0)
		return say(pam, PAM_TEXT_INFO, text);
	if (strcmp(word, "error") == 0)
		return say(pam, PAM_ERROR_MSG, text);
	if (strcmp(word, "show") == 0)
		return ask(pam, PAM_PROMPT_ECHO_ON, text);
	if (strcmp(word, "hide") == 0)
		return ask(pam, PAM_PROMPT_ECHO_OFF, text);
	if (strcmp(word, "delay") == 0)
		return pam_fail_delay(pam, (unsigned)atoi(text));
	if (strcmp(word, "user") == 0)
		return pam_set_item(pam, PAM_USER, text);
	return PAM_SERVICE_ERR;
}

static int quiz(pam_handle_t *pam, int argc, const char **argv)
{
	int status = PAM_SUCCESS;

	for (int i = 0; i < argc && status == PAM_SUCCESS; i++) {
		char *word = strdup(argv[i]);

		status = word ? obey(pam, word) : PAM_BUF_ERR;
		free(word);
	}
	return status;
}

int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)flags;
	return quiz(pam, argc, argv);
}

int pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

int pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)flags;
	return quiz(pam, argc, argv);
}
