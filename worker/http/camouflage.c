/* camouflage.c - who may see that this is a VPN server, and what all others see. */
#include "worker/http/camouflage.h"

#include <string.h>

#include "base/secret.h"
#include "worker/http/connect.h"

/* Both texts are compared in a field of the same size, so that the time tells neither where they
 * differ nor how long the secret is. */
static bool is_secret(const struct host_conf *host, const char *query)
{
	char want[HTTP_TARGET_MAX + 1] = "", got[HTTP_TARGET_MAX + 1] = "";
	const struct secret *secret = host->camouflage_secret;
	bool usable = secret && secret->len && secret->len <= HTTP_TARGET_MAX;
	bool equal;

	/* A NUL cannot be in either. */
	if (usable)
		memcpy(want, secret_text(secret), secret->len);
	str_copy(got, sizeof got, query);
	equal = secret_equal(want, got, sizeof got);
	secret_wipe(want, sizeof want);
	secret_wipe(got, sizeof got);
	return usable && equal;
}

bool camouflage_admits(struct http_dialogue *d, const char *query)
{
	if (!d->host->camouflage || d->proven)
		return true;
	d->proven = query && is_secret(d->host, query);
	return d->proven;
}

/* RFC 9110 5.6.4: quotes and backslashes inside of a quoted string. */
static char *quote(TALLOC_CTX *ctx, const char *text)
{
	char *out = talloc_size(ctx, 2 * strlen(text) + 1), *at = out;

	if (!out)
		return NULL;
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at = '\0';
	return out;
}

void camouflage_page(const struct http_dialogue *d, TALLOC_CTX *ctx, struct buf *b)
{
	static const char page[] = "<html><body><h1>401 Unauthorized</h1></body></html>\r\n";
	const char *realm = d->host->camouflage_realm;
	char *challenge;

	if (!realm || !*realm) {
		http_resp_not_found(b, dialogue_security(d));
		return;
	}
	realm = quote(ctx, realm);
	challenge = realm ? talloc_asprintf(ctx, "Basic realm=\"%s\"", realm) : NULL;
	if (!challenge) {
		b->failed = true;
		return;
	}
	http_resp_begin(b, 401, "Unauthorized", HTTP_CLOSE);
	http_resp_header(b, "WWW-Authenticate", challenge);
	http_resp_security(b, dialogue_security(d), false);
	http_resp_body(b, "text/html", page, sizeof page - 1);
}

/* Cookies that we gave out prove as much as the secret: clients that open a second connection do
 * not send it again (protocol.md 3.7).  A login in progress does not open a tunnel, though. */
static enum err ask_auth(struct exchange *x, bool connect)
{
	const struct recall_ask ask = { .client = x->client, .attempt = connect };
	struct recall_answer known = { .ticket = false };
	enum err err;

	if (!x->client->has_ticket && (connect || !x->client->has_context))
		return ERR_OK;
	err = x->d->env->recall(x->d->arg, x->ctx, &ask, &known);
	if (!err)
		x->d->proven = known.ticket || (known.context && !connect);
	return err;
}

/* config.md 8.15.  The path plays no part, or the path of the tunnel would show. */
static void refuse_connect(struct exchange *x)
{
	if (!connect_has_ticket(x->req)) {
		exchange_error(x, 503, "Service Unavailable", NULL);
		return;
	}
	if (!x->client->has_ticket)
		log_warn(x->d->log, "cookie-refused",
			 kv_text("failed cookie authentication attempt"));
	exchange_bad_method(x, "GET, POST");
}

enum err camouflage_pass(struct exchange *x, bool *served)
{
	bool connect = x->req->method == HTTP_CONNECT;
	enum err err = ERR_OK;

	*served = camouflage_admits(x->d, connect ? NULL : x->req->query);
	if (*served)
		return ERR_OK;
	err = ask_auth(x, connect);
	*served = x->d->proven;
	if (err || *served)
		return err;
	if (connect) {
		refuse_connect(x);
	} else {
		camouflage_page(x->d, x->ctx, &x->resp);
		x->close = true;
	}
	return ERR_OK;
}
