/* http_play.c - plays auth, main and the client for worker/http. */
#include "tests/unit/http_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One request per read, as records come; requests are separated by \1 in the script. */
static enum err play_read(void *arg, void *data, size_t cap, size_t *len)
{
	struct play *p = arg;
	size_t n = strcspn(p->input, "\1");

	if (!*p->input && p->raw) {
		memcpy(data, p->raw, p->raw_len);
		*len = p->raw_len;
		p->raw = NULL;
		return ERR_OK;
	}
	if (!*p->input)
		return ERR_CLOSED;
	n = n < cap ? n : cap;
	memcpy(data, p->input, n);
	p->input += n;
	if (*p->input == '\1')
		p->input++;
	*len = n;
	return ERR_OK;
}

static enum err play_write(void *arg, const void *data, size_t len)
{
	buf_put(&((struct play *)arg)->output, data, len);
	return ERR_OK;
}

static bool play_has_more(void *arg)
{
	return ((struct play *)arg)->impatient;
}

static enum err play_step(void *arg, TALLOC_CTX *ctx, const struct login_step *step,
			  struct login_answer **out)
{
	struct play *p = arg;

	p->steps++;
	p->seen_context = step->context != NULL;
	str_copy(p->seen_group, sizeof p->seen_group, step->group_url);
	str_copy(p->seen_password, sizeof p->seen_password,
		 step->input->n_answers ? step->input->answer[0].value : "");
	p->seen_checked = step->second && step->second->checked;
	str_copy(p->seen_second, sizeof p->seen_second,
		 p->seen_checked && step->second->good ? step->second->user : "");
	/* What auth does: the certificate was all that was missing. */
	if (p->seen_checked)
		p->answer.kind = LOGIN_TICKET;
	*out = talloc_memdup(ctx, &p->answer, sizeof p->answer);
	return ERR_OK;
}

static enum err play_recall(void *arg, TALLOC_CTX *ctx, const struct recall_ask *ask,
			    struct recall_answer *out)
{
	struct play *p = arg;

	(void)ctx;
	p->recalls++;
	p->seen_recall = *ask;
	*out = p->known;
	return ERR_OK;
}

static enum err play_relay(void *arg, TALLOC_CTX *ctx, const struct kdc_ask *ask,
			   struct kdc_answer *out)
{
	struct play *p = arg;

	(void)ctx;
	snprintf(p->seen_kdc, sizeof p->seen_kdc, "%s %s %zu", ask->path, ask->realm, ask->len);
	*out = p->kdc;
	return ERR_OK;
}

static void play_verify(void *arg, TALLOC_CTX *ctx, const void *document, size_t len,
			const struct auth_input *input, struct login_second *out)
{
	struct play *p = arg;

	(void)ctx;
	str_copy(p->seen_document, sizeof p->seen_document, document);
	assert_int_equal(strlen(document), len);
	*out = (struct login_second){ .good = true, .user = input->cert_pkcs7 };
}

static enum err play_open(void *arg, TALLOC_CTX *ctx, const struct tunnel_ask *ask,
			  struct tunnel_grant **out)
{
	struct play *p = arg;

	(void)ask;
	*out = talloc_memdup(ctx, &p->grant, sizeof p->grant);
	return ERR_OK;
}

static enum err play_logout(void *arg, const uint8_t ticket[COOKIE_LEN])
{
	(void)ticket;
	((struct play *)arg)->seen_logout = true;
	return ERR_OK;
}

static void play_client(void *arg, const struct http_client *client)
{
	(void)arg;
	(void)client;
}

const struct http_env play_env = {
	.read = play_read,
	.write = play_write,
	.has_more = play_has_more,
	.step = play_step,
	.recall = play_recall,
	.verify = play_verify,
	.relay = play_relay,
	.open = play_open,
	.logout = play_logout,
	.on_client = play_client,
};

struct conf *conf_of(TALLOC_CTX *ctx, const char *const *rows)
{
	struct conf_rows list = { 0 };
	struct conf *conf = NULL;

	for (; rows[0]; rows += 2) {
		const struct conf_row row = { .option = rows[0], .value = rows[1], .file = "test" };
		assert_int_equal(conf_rows_add(ctx, &list, &row), ERR_OK);
	}
	assert_int_equal(conf_from_rows(ctx, &list, CONF_SHARE, NULL, &conf), ERR_OK);
	return conf;
}

void play_init(struct play *p, const char *const *rows)
{
	static const struct auth_field fields[] = { { AUTH_FIELD_TEXT, "username", NULL, NULL },
						    { AUTH_FIELD_PASSWORD, "password", NULL,
						      NULL } };
	struct session_conf *session = NULL;
	struct conf_rows none = { 0 };

	*p = (struct play){ .ctx = talloc_new(NULL) };
	buf_init(&p->output, p->ctx, 1 << 20);
	p->conf = conf_of(p->ctx, rows);
	strcpy(p->peer.cert_sha1, "0123456789ABCDEF0123456789ABCDEF01234567");
	p->peer.tls13 = true;
	p->answer.has_context = true;
	memset(p->answer.context, 7, sizeof p->answer.context);
	p->answer.form.id = "main";
	p->answer.form.fields = fields;
	p->answer.form.n_fields = 2;
	assert_int_equal(conf_session_new(p->ctx, p->conf->host[0], &none, NULL, &session), ERR_OK);
	p->grant = (struct tunnel_grant){ .granted = true, .conf = session, .user = "ann" };
	assert_int_equal(addr_net_parse("10.1.2.3/24", &p->grant.v4), ERR_OK);
	p->grant.udp = true;
	p->grant.udp_port = 443;
}

const char *play_run(struct play *p, const char *input)
{
	struct http_dialogue d = {
		.conf = p->conf,
		.host = p->conf->host[0],
		.peer = &p->peer,
		.profile = p->profile,
		.env = &play_env,
		.arg = p,
		.log = &p->log,
	};

	p->input = input;
	buf_reset(&p->output);
	p->result = http_run(&d, p->ctx, &p->plan);
	return p->plan ? buf_text(&p->plan->head) : buf_text(&p->output);
}

void play_end(struct play *p)
{
	talloc_free(p->ctx);
}
