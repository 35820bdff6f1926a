/* pam_talk.c - what PAM modules say and ask, made into questions to a client. */
#include "auth/backend/pam_talk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void pam_talk_init(struct pam_talk *t, TALLOC_CTX *ctx, const struct backend_input *in, bool silent)
{
	*t = (struct pam_talk){ .ctx = ctx, .in = *in, .password = in->answer, .silent = silent };
	buf_init(&t->texts, ctx, BACKEND_TEXT_MAX);
}

/* One line more of what the client is to read; what is too long for a form is cut. */
static void add_text(struct pam_talk *t, const char *text)
{
	size_t len = text ? strlen(text) : 0, room;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (!len)
		return;
	if (t->texts.len && t->texts.len < BACKEND_TEXT_MAX)
		buf_putc(&t->texts, '\n');
	room = BACKEND_TEXT_MAX - t->texts.len;
	buf_put(&t->texts, text, len < room ? len : room);
}

/* A copy for libpam, which frees it with free(3). */
static int give(const char *answer, struct pam_response *out)
{
	out->resp = strdup(answer);
	return out->resp ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int ask(struct pam_talk *t, const char *text, bool echo, struct pam_response *out)
{
	struct verdict question = { .kind = VERDICT_PROMPT, .echo = echo };

	if (t->silent || t->closed || !t->in.ask)
		return PAM_CONV_ERR;
	/* The password is known already; whoever wants to see it typed asks for something else. */
	if (!echo && t->password) {
		const char *password = t->password;

		t->password = NULL;
		return give(password, out);
	}
	add_text(t, text);
	question.text = talloc_strdup(t->ctx, buf_text(&t->texts));
	buf_reset(&t->texts);
	t->closed = t->in.ask(t->in.ask_arg, &question, &t->in) != ERR_OK;
	return t->closed ? PAM_CONV_ERR : give(t->in.answer ? t->in.answer : "", out);
}

static int say(struct pam_talk *t, const struct pam_message *msg, struct pam_response *out)
{
	switch (msg->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
		return ask(t, msg->msg, false, out);
	case PAM_PROMPT_ECHO_ON:
		return ask(t, msg->msg, true, out);
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG:
		add_text(t, msg->msg);
		return PAM_SUCCESS;
	default:
		return PAM_CONV_ERR; /* made for programs with a screen */
	}
}

static void drop(struct pam_response *answers, int n)
{
	for (int i = 0; i < n; i++) {
		if (answers[i].resp)
			secret_wipe(answers[i].resp, strlen(answers[i].resp));
		free(answers[i].resp);
	}
	free(answers);
}

int pam_talk_conv(int n, const struct pam_message **msg, struct pam_response **resp, void *arg)
{
	struct pam_response *answers;
	int status = PAM_SUCCESS;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	answers = calloc((size_t)n, sizeof *answers);
	if (!answers)
		return PAM_BUF_ERR;
	for (int i = 0; i < n && status == PAM_SUCCESS; i++)
		status = say(arg, msg[i], &answers[i]);
	if (status == PAM_SUCCESS)
		*resp = answers;
	else
		drop(answers, n);
	return status;
}

void pam_talk_delay(int status, unsigned usec, void *arg)
{
	struct pam_talk *t = arg;

	(void)status;
	if (usec > t->delay_us)
		t->delay_us = usec;
}
