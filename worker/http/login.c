/* login.c - login requests to steps, answers to documents. */
#include "worker/http/login.h"

#include <string.h>

#include "base/secret.h"
#include "worker/http/profile.h"
#include "worker/http/routes.h"

enum { DOCUMENT_MAX = 128 * 1024 };

static bool is_bare(const struct exchange *x)
{
	return x->client->agent.class == CLIENT_OCV3;
}

/* The context the client names, else the one of this connection (protocol.md 1.3). */
static const uint8_t *context_of(const struct exchange *x)
{
	if (x->client->has_context && !x->d->authenticated)
		return x->client->context;
	return x->d->has_context ? x->d->context : NULL;
}

static void remember_context(struct http_dialogue *d, const struct login_answer *a)
{
	d->has_context = a->has_context;
	memcpy(d->context, a->context, sizeof d->context);
}

/* webvpncontext goes with every login reply; without a login it is taken back (4.11). */
static void put_context(struct exchange *x, const struct login_answer *a)
{
	char *text;

	if (!a->has_context) {
		http_resp_cookie(&x->resp, "webvpncontext", "", 0,
				 COOKIE_HTTP_ONLY | COOKIE_DELETE);
		return;
	}
	text = base64_encode(x->ctx, a->context, sizeof a->context);
	if (!text) {
		x->resp.failed = true;
		return;
	}
	secret_mark(text);
	http_resp_cookie(&x->resp, "webvpncontext", text, x->d->host->cookie_timeout,
			 COOKIE_HTTP_ONLY);
}

static void put_ticket(struct exchange *x, const struct login_answer *a)
{
	char *text = base64_encode(x->ctx, a->ticket, sizeof a->ticket);
	struct profile_note profile;

	if (!text) {
		x->resp.failed = true;
		return;
	}
	secret_mark(text);
	http_resp_cookie(&x->resp, "webvpn", text, 0, COOKIE_HTTP_ONLY);
	profile_announce(x, a, &profile);
	http_resp_webvpnc(&x->resp, x->d->peer->cert_sha1, profile.name, profile.sha1);
}

static void begin_document(struct exchange *x, const struct login_answer *a)
{
	exchange_begin(x);
	http_resp_header(&x->resp, "X-Transcend-Version", "1");
	put_context(x, a);
	if (a->kind == LOGIN_TICKET && a->challenge)
		http_resp_header(&x->resp, "WWW-Authenticate", a->challenge);
	if (a->kind == LOGIN_TICKET)
		put_ticket(x, a);
	http_resp_security(&x->resp, exchange_security(x), false);
}

static enum err end_document(struct exchange *x, struct buf *doc)
{
	if (doc->failed)
		return ERR_TOO_LONG;
	http_resp_body(&x->resp, "text/xml; charset=utf-8", doc->data, doc->len);
	return ERR_OK;
}

static enum err send_form(struct exchange *x, const struct login_answer *a)
{
	struct auth_form form = a->form;
	struct buf doc;

	form.id = a->form.id && *a->form.id ? a->form.id : "main";
	form.banner = x->d->host->pre_login_banner;
	form.action = "/auth";
	buf_init(&doc, x->ctx, DOCUMENT_MAX);
	auth_form_build(&doc, &form, is_bare(x));
	begin_document(x, a);
	return end_document(x, &doc);
}

static enum err send_complete(struct exchange *x, const struct login_answer *a)
{
	struct auth_complete done = {
		.banner = x->d->host->banner,
		.cert_sha1 = x->d->peer->cert_sha1,
	};
	struct profile_note profile;
	struct buf doc;

	profile_announce(x, a, &profile);
	done.profile_uri = profile.uri;
	done.profile_sha1 = profile.sha1;
	x->d->authenticated = true;
	buf_init(&doc, x->ctx, DOCUMENT_MAX);
	auth_complete_build(&doc, &done, is_bare(x));
	begin_document(x, a);
	return end_document(x, &doc);
}

/* A challenge goes on on this connection, anything else ends it (protocol.md 4.8, 4.17). */
static enum err send_denied(struct exchange *x, const struct login_answer *a)
{
	const char *reason = a->reason && *a->reason ? a->reason : "Authentication failed";

	if (!a->challenge || !*a->challenge) {
		x->denied = true;
		exchange_error(x, 401, reason, a->detail);
		return ERR_OK;
	}
	http_resp_begin(&x->resp, 401, "Unauthorized", HTTP_KEEP_ALIVE);
	http_resp_header(&x->resp, "WWW-Authenticate", a->challenge);
	if (a->fallback)
		http_resp_header(&x->resp, "X-HTTP-Auth-Support", "fallback");
	put_context(x, a);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_end(&x->resp);
	return ERR_OK;
}

static enum err send_redirect(struct exchange *x, const struct login_answer *a)
{
	http_resp_begin(&x->resp, 302, "Found", HTTP_KEEP_ALIVE);
	http_resp_header(&x->resp, "Location", a->location ? a->location : "/");
	put_context(x, a);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_end(&x->resp);
	return ERR_OK;
}

/* The bytes that the client signs: the same again whenever they are made of the same number, so
 * that the reply may come over another connection (protocol.md 1.3). */
static void build_request(struct exchange *x, const struct login_answer *a, struct buf *doc)
{
	char hex[2 * LOGIN_NONCE + 1];

	buf_init(doc, x->ctx, DOCUMENT_MAX);
	auth_multicert_build(doc, hex_encode(a->nonce, sizeof a->nonce, hex));
}

static enum err send_request(struct exchange *x, const struct login_answer *a)
{
	struct buf doc;

	build_request(x, a, &doc);
	begin_document(x, a);
	return end_document(x, &doc);
}

static enum err send_answer(struct exchange *x, const struct login_answer *a)
{
	switch (a->kind) {
	case LOGIN_FORM:
		return send_form(x, a);
	case LOGIN_TICKET:
		return send_complete(x, a);
	case LOGIN_DENIED:
		return send_denied(x, a);
	case LOGIN_REDIRECT:
		return send_redirect(x, a);
	case LOGIN_SECOND_CERT:
		return send_request(x, a);
	}
	return ERR_PROTO;
}

/* Cisco's logout document: the session of its TOKEN or of the cookie ends, the answer is an empty
 * success (protocol.md 4.13). */
static enum err logout(struct exchange *x, const char *token)
{
	static const struct login_answer nothing = { .kind = LOGIN_FORM };
	uint8_t ticket[COOKIE_LEN];
	struct buf doc;
	enum err err = ERR_OK;

	if (token && cookie_decode(token, strlen(token), ticket) == ERR_OK)
		err = x->d->env->logout(x->d->arg, ticket);
	if (!err && x->client->has_ticket)
		err = x->d->env->logout(x->d->arg, x->client->ticket);
	secret_wipe(ticket, sizeof ticket);
	if (err)
		return err;
	x->d->authenticated = false;
	buf_init(&doc, x->ctx, DOCUMENT_MAX);
	auth_complete_build(&doc, &(struct auth_complete){ 0 }, is_bare(x));
	begin_document(x, &nothing);
	return end_document(x, &doc);
}

/* GET, and POST without a body, ask for the first form. */
static enum err parse_input(struct exchange *x, struct auth_input **out)
{
	if (x->req->method == HTTP_POST && x->req->body_len)
		return auth_input_parse(x->ctx, x->req->body, x->req->body_len, out);
	*out = auth_input_new_init(x->ctx);
	return *out ? ERR_OK : ERR_NOMEM;
}

/* The path of the URL inside <group-access>: https://host/GROUP. */
static void group_of_url(const char *url, char out[GROUP_NAME_MAX + 1])
{
	const char *path = strstr(url, "://");

	path = path ? strchr(path + 3, '/') : NULL;
	out[0] = '\0';
	if (path) {
		char plain[HTTP_TARGET_MAX + 1];
		str_copy(plain, sizeof plain, path);
		plain[strcspn(plain, "?#")] = '\0';
		route_group_of(plain, out);
	}
}

/* Has auth answer STEP; with a second certificate in it that is two questions: which number it had
 * to sign, and, now that this is known, what follows. */
static enum err ask_auth(struct exchange *x, const struct login_step *step,
			 struct login_answer **out)
{
	struct login_second second = { .checked = false };
	struct login_step with = *step;
	struct buf doc;
	enum err err;

	with.second = step->input->cert_pkcs7 ? &second : NULL;
	err = x->d->env->step(x->d->arg, x->ctx, &with, out);
	if (err || !with.second || (*out)->kind != LOGIN_SECOND_CERT)
		return err;
	build_request(x, *out, &doc);
	if (doc.failed)
		return ERR_NOMEM;
	x->d->env->verify(x->d->arg, x->ctx, doc.data, doc.len, step->input, &second);
	second.checked = true;
	return x->d->env->step(x->d->arg, x->ctx, &with, out);
}

enum err login_ask(struct exchange *x, const char *group, const struct auth_input *input,
		   struct login_answer **out)
{
	const struct login_step step = {
		.client = x->client,
		.context = context_of(x),
		.input = input,
		.group_url = group,
	};
	enum err err = ask_auth(x, &step, out);

	if (!err)
		remember_context(x->d, *out);
	return err;
}

enum err login_handle(struct exchange *x, const char *group_url)
{
	char group[GROUP_NAME_MAX + 1];
	struct auth_input *input = NULL;
	struct login_answer *answer = NULL;
	enum err err = parse_input(x, &input);

	if (err == ERR_NOMEM)
		return err;
	if (err) {
		/* 401 rather than 400: openconnect would try the whole login again (3.5). */
		log_info(x->d->log, "login-malformed", kv_err(err));
		x->denied = true;
		exchange_error(x, 401, "Authentication failed", NULL);
		return ERR_OK;
	}
	if (input->kind == AUTH_LOGOUT)
		return logout(x, input->session_token);
	str_copy(group, sizeof group, group_url);
	if (!group[0] && input->group_access)
		group_of_url(input->group_access, group);
	err = login_ask(x, group, input, &answer);
	return err ? err : send_answer(x, answer);
}
