/* phone.c - one round of name and password instead of the dialogue; phones know no forms. */
#include "worker/http/phone.h"

#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "worker/http/login.h"

enum { BASIC_MAX = 1024 }; /* decoded name and password */

/* NAME:PASSWORD of an Authorization header, as a reply with both. */
static enum err credentials(TALLOC_CTX *ctx, char *text, struct auth_input **out)
{
	struct auth_input *input = auth_input_new_init(ctx);
	char *colon = strchr(text, ':');

	if (!input)
		return ERR_NOMEM;
	if (!colon)
		return ERR_SYNTAX;
	input->kind = AUTH_REPLY;
	input->username = talloc_strndup(input, text, (size_t)(colon - text));
	input->answer[0].name = "password";
	input->answer[0].value = talloc_strdup(input, colon + 1);
	input->n_answers = 1;
	if (!input->username || !input->answer[0].value)
		return ERR_NOMEM;
	secret_mark((void *)(uintptr_t)input->answer[0].value);
	*out = input;
	return ERR_OK;
}

/* RFC 7617; a NUL would cut the password short. */
static enum err parse_basic(TALLOC_CTX *ctx, const char *base64, struct auth_input **out)
{
	char text[BASIC_MAX + 1];
	size_t len = 0;
	enum err err = base64_decode(base64, strlen(base64), (uint8_t *)text, BASIC_MAX, &len);

	if (!err && memchr(text, '\0', len))
		err = ERR_SYNTAX;
	if (!err) {
		text[len] = '\0';
		err = credentials(ctx, text, out);
	}
	secret_wipe(text, sizeof text);
	return err;
}

/* What the phone shows: a form's fields, the header of basic authentication, or only itself. */
static enum err parse_input(struct exchange *x, struct auth_input **out)
{
	static const char basic[] = "Basic ";
	const char *header = x->client->authorization;

	if (header && str_starts_nocase(header, basic))
		return parse_basic(x->ctx, header + strlen(basic), out);
	if (x->req->method == HTTP_POST)
		return auth_input_parse(x->ctx, x->req->body, x->req->body_len, out);
	*out = auth_input_new_init(x->ctx);
	return *out ? ERR_OK : ERR_NOMEM;
}

/* The greeting takes old cookies back; who is logged in, by whatever he showed, has a new one. */
static enum err greet(struct exchange *x, const uint8_t *ticket)
{
	char *text;

	exchange_begin(x);
	http_resp_header(&x->resp, "X-Transcend-Version", "1");
	if (x->req->method == HTTP_GET) {
		http_resp_cookie(&x->resp, "webvpn", "", 0, COOKIE_DELETE | COOKIE_PATH);
		http_resp_cookie(&x->resp, "webvpnlogin", "1", 0, 0);
	}
	if (ticket) {
		text = base64_encode(x->ctx, ticket, COOKIE_LEN);
		if (!text)
			return ERR_NOMEM;
		secret_mark(text);
		http_resp_cookie(&x->resp, "webvpn", text, 0, 0);
	}
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_end(&x->resp);
	return ERR_OK;
}

enum err phone_handle(struct exchange *x)
{
	struct auth_input *input = NULL;
	struct login_answer *answer = NULL;
	enum err err;

	if (!x->d->host->cisco_svc_client_compat) {
		exchange_not_found(x);
		return ERR_OK;
	}
	err = parse_input(x, &input);
	if (err == ERR_NOMEM)
		return err;
	if (!err) {
		/* A certificate may be all that is needed, so a mere GET is asked about, too. */
		err = login_ask(x, "", input, &answer);
		if (err)
			return err;
	}
	if (answer && answer->kind == LOGIN_TICKET) {
		x->d->authenticated = true;
		return greet(x, answer->ticket);
	}
	if (input && input->kind == AUTH_INIT && x->req->method == HTTP_GET)
		return greet(x, NULL);
	x->denied = true;
	exchange_error(x, 401, "Authentication failed", NULL);
	return ERR_OK;
}
