/* fuzz_http_dialogue.c - whole dialogues before the tunnel: any bytes of a client against an auth
 * that echoes what the client said.  No ticket leaves without auth's word, no connection is served
 * for ever, answers are whole, and a host with camouflage shows itself to nobody who has neither
 * the secret nor a good cookie. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "worker/http/http.h"

#define SECRET "s3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stage {
	const uint8_t *data;
	size_t left, chunk;
	enum login_kind kind;
	bool challenge, refuse, known;
	struct buf out;
	unsigned asked;
	struct session_conf *session;
};

static enum err stage_read(void *arg, void *data, size_t cap, size_t *len)
{
	struct stage *s = arg;
	size_t n = s->chunk < cap ? s->chunk : cap;

	n = n < s->left ? n : s->left;
	if (!n)
		return ERR_CLOSED;
	memcpy(data, s->data, n);
	s->data += n;
	s->left -= n;
	*len = n;
	return ERR_OK;
}

static enum err stage_write(void *arg, const void *data, size_t len)
{
	if (len < 9 || memcmp(data, "HTTP/1.1 ", 9) != 0)
		abort();
	buf_put(&((struct stage *)arg)->out, data, len);
	return ERR_OK;
}

/* Requests come one after the other here, as if the client waited. */
static bool stage_has_more(void *arg)
{
	(void)arg;
	return false;
}

static enum err stage_step(void *arg, TALLOC_CTX *ctx, const struct login_step *step,
			   struct login_answer **out)
{
	static const struct auth_field field = { AUTH_FIELD_PASSWORD, "password", NULL, NULL };
	struct stage *s = arg;
	struct login_answer *a = talloc_zero(ctx, struct login_answer);
	const char *said = step->input->username ? step->input->username : step->group_url;

	s->asked++;
	a->kind = s->kind;
	a->has_context = s->kind != LOGIN_TICKET;
	a->form.id = "main";
	a->form.message = a->form.error = said;
	a->form.fields = &field;
	a->form.n_fields = 1;
	a->reason = said;
	a->challenge = s->challenge ? "Negotiate" : NULL;
	a->location = said;
	*out = a;
	return ERR_OK;
}

/* All cookies are good, or none is; a user has half of them as his profile. */
static enum err stage_recall(void *arg, TALLOC_CTX *ctx, const struct recall_ask *ask,
			     struct recall_answer *out)
{
	const struct stage *s = arg;

	(void)ctx;
	*out = (struct recall_answer){ .ticket = s->known && ask->client->has_ticket,
				       .context = s->known && ask->client->has_context };
	if (out->ticket && ask->profile) {
		out->own_profile = ask->client->ticket[0] & 1;
		out->profile = (struct http_profile){ ask->client->ticket, COOKIE_LEN / 2 };
	}
	return ERR_OK;
}

static void stage_verify(void *arg, TALLOC_CTX *ctx, const void *document, size_t len,
			 const struct auth_input *input, struct login_second *out)
{
	(void)arg;
	(void)ctx;
	if (len < 9 || memcmp(document, "<?xml ver", 9) != 0)
		abort();
	*out = (struct login_second){ .good = true, .user = input->cert_pkcs7 };
}

static enum err stage_open(void *arg, TALLOC_CTX *ctx, const struct tunnel_ask *ask,
			   struct tunnel_grant **out)
{
	struct stage *s = arg;
	struct tunnel_grant *g = talloc_zero(ctx, struct tunnel_grant);

	s->asked++;
	g->granted = !s->refuse;
	g->status = 503;
	g->reason = ask->client->user_agent;
	g->conf = s->session;
	g->user = ask->client->user_agent;
	g->group = "";
	if (addr_net_parse("10.0.0.2/24", &g->v4) || addr_net_parse("fd00::2/128", &g->v6))
		abort();
	g->udp = true;
	g->udp_port = 443;
	*out = g;
	return ERR_OK;
}

static enum err stage_logout(void *arg, const uint8_t ticket[COOKIE_LEN])
{
	(void)arg;
	(void)ticket;
	return ERR_OK;
}

static void stage_client(void *arg, const struct http_client *client)
{
	(void)arg;
	(void)client;
}

/* A KDC that says everything back. */
static enum err stage_relay(void *arg, TALLOC_CTX *ctx, const struct kdc_ask *ask,
			    struct kdc_answer *out)
{
	(void)arg;
	(void)ctx;
	*out = (struct kdc_answer){ ask->len % 2 == 1, ask->message, ask->len };
	return ERR_OK;
}

static const struct http_env env = {
	.read = stage_read,
	.write = stage_write,
	.has_more = stage_has_more,
	.step = stage_step,
	.recall = stage_recall,
	.verify = stage_verify,
	.relay = stage_relay,
	.open = stage_open,
	.logout = stage_logout,
	.on_client = stage_client,
};

/* Settings that put the user's name and a route into the answer. */
static struct conf *settings(TALLOC_CTX *ctx, bool hidden)
{
	const struct conf_row rows[] = {
		{ .option = "custom-header", .value = "X-User: %{U}", .file = "fuzz" },
		{ .option = "select-group", .value = "staff", .file = "fuzz" },
		{ .option = "select-group-by-url", .value = "true", .file = "fuzz" },
		{ .option = "banner", .value = "Hi", .file = "fuzz" },
		{ .option = "cisco-svc-client-compat", .value = "true", .file = "fuzz" },
		{ .option = "kkdcp", .value = "/K R tcp@192.0.2.1:88", .file = "fuzz" },
		{ .option = "camouflage_secret", .value = SECRET, .file = "fuzz" },
		{ .option = "camouflage_realm", .value = "a \"b", .file = "fuzz" },
		{ .option = "camouflage", .value = hidden ? "true" : "false", .file = "fuzz" },
	};
	struct conf_rows list = { 0 };
	struct conf *conf = NULL;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (conf_rows_add(ctx, &list, &rows[i]))
			abort();
	if (conf_from_rows(ctx, &list, CONF_SHARE, NULL, &conf))
		abort();
	return conf;
}

/* A header line of an answer that no text of the client may have made. */
static void check_head(const char *head)
{
	const char *end = strstr(head, "\r\n\r\n");

	if (!end || strstr(head, "\r\nSet-Cookie: evil"))
		abort();
}

/* Whether TEXT gives a session away; the greeting of phones takes an old one back. */
static bool gives_cookie(const char *text)
{
	static const char start[] = "\r\nSet-Cookie: webvpn=";

	for (text = strstr(text, start); text; text = strstr(text, start)) {
		text += sizeof start - 1;
		if (*text != ';')
			return true;
	}
	return false;
}

/* Nobody was asked, nothing was served, nothing was said of a VPN. */
static void check_hidden(struct stage *s, const struct tunnel_plan *plan)
{
	const char *text = s->out.len ? buf_text(&s->out) : "";

	if (s->asked || plan || strstr(text, "HTTP/1.1 200") || strstr(text, "X-Reason") ||
	    strstr(text, "config-auth") || strstr(text, "Set-Cookie") || strstr(text, "Cookie is"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct stage s = { 0 };
	struct http_peer peer = { .cert_sha1 = "AA", .tls13 = true };
	struct log_ctx log = { 0 };
	struct http_dialogue d = { .peer = &peer, .env = &env, .arg = &s, .log = &log };
	struct conf_rows none = { 0 };
	struct tunnel_plan *plan = NULL;
	bool hidden;
	enum err err;

	if (size < 3)
		goto out;
	hidden = data[0] & 64;
	d.conf = settings(ctx, hidden);
	d.host = d.conf->host[0];
	d.profile = (struct http_profile){ (const uint8_t *)"<x/>", 4 };
	s.known = data[0] & 128;
	s.kind = data[0] % 5;
	s.challenge = data[0] & 16;
	s.refuse = data[0] & 32;
	s.chunk = data[1] ? data[1] : 4096;
	s.data = data + 2;
	s.left = size - 2;
	buf_init(&s.out, ctx, 16 << 20);
	if (conf_session_new(ctx, d.host, &none, NULL, &s.session))
		abort();
	err = http_run(&d, ctx, &plan);
	/* A second certificate asks twice. */
	if (s.asked > 2 * HTTP_REQUESTS_MAX || (!err && !plan))
		abort();
	if (s.out.len)
		check_head(buf_text(&s.out));
	if (s.kind != LOGIN_TICKET && gives_cookie(buf_text(&s.out)))
		abort();
	if (!err)
		check_head(buf_text(&plan->head));
	if (hidden && !s.known && !memmem(data, size, "?" SECRET, sizeof SECRET))
		check_hidden(&s, plan);
out:
	talloc_free(ctx);
	return 0;
}
