/* http.c - reads one request at a time, has it answered, sends the answer. */
#include "worker/http/http.h"

#include "base/secret.h"
#include "worker/http/camouflage.h"
#include "worker/http/routes.h"

enum { READ_CHUNK = 4096, RESPONSE_MAX = 256 * 1024 };

void exchange_begin(struct exchange *x)
{
	http_resp_begin(&x->resp, 200, "OK",
			x->req->keep_alive && !x->close ? HTTP_KEEP_ALIVE : HTTP_CLOSE);
}

void exchange_not_found(struct exchange *x)
{
	http_resp_not_found(&x->resp, exchange_security(x));
	x->close = true;
}

void exchange_error(struct exchange *x, unsigned status, const char *reason, const char *x_reason)
{
	http_resp_error(&x->resp, status, reason, x_reason, exchange_security(x));
	x->close = true;
}

/* RFC 9110 15.5.6 */
void exchange_bad_method(struct exchange *x, const char *allow)
{
	http_resp_begin(&x->resp, 405, "Method Not Allowed", HTTP_CLOSE);
	http_resp_header(&x->resp, "Allow", allow);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_end(&x->resp);
	x->close = true;
}

const struct strv *dialogue_security(const struct http_dialogue *d)
{
	const struct strv *lines = &d->host->included_http_headers;

	return lines->n || d->host->camouflage ? lines : NULL;
}

const struct strv *exchange_security(const struct exchange *x)
{
	return dialogue_security(x->d);
}

/* One whole request.  ERR_AGAIN never leaves here. */
static enum err read_request(struct http_dialogue *d, struct http_parser *p)
{
	uint8_t chunk[READ_CHUNK];
	enum err err;

	do {
		size_t len = 0;
		err = d->env->read(d->arg, chunk, sizeof chunk, &len);
		if (!err)
			err = http_parser_feed(p, chunk, len);
	} while (err == ERR_AGAIN);
	secret_wipe(chunk, sizeof chunk);
	return err;
}

/* protocol.md 3.1: an unknown method is told 404; for anything else malformed the connection is
 * closed without a word. */
static enum err refuse(struct http_dialogue *d, TALLOC_CTX *ctx, const struct http_parser *p,
		       enum err err)
{
	struct buf b;

	if (err == ERR_PROTO)
		log_event(LOG_LVL_HTTP, d->log, "http-refused",
			  LOG_KVS(kv_text("closing connection: unexpected pipelined data")));
	else if (err == ERR_SYNTAX || err == ERR_TOO_LONG || err == ERR_UNSUPPORTED)
		log_event(LOG_LVL_HTTP, d->log, "http-refused", LOG_KVS(kv_err(err)));
	if (err == ERR_UNSUPPORTED) {
		buf_init(&b, ctx, RESPONSE_MAX);
		if (camouflage_admits(d, http_parser_request(p)->query))
			http_resp_not_found(&b, dialogue_security(d));
		else
			camouflage_page(d, ctx, &b);
		if (!b.failed)
			(void)d->env->write(d->arg, b.data, b.len);
	}
	return err;
}

static enum err answer(struct exchange *x, const struct http_parser *p)
{
	bool served = true;
	enum err err = camouflage_pass(x, &served);

	if (!err && served)
		err = route_request(x);
	/* What came while the answer was made is not the next request either (10.3). */
	if (!err && x->d->env->has_more(x->d->arg))
		return refuse(x->d, x->ctx, p, ERR_PROTO);
	if (err || x->plan)
		return err;
	if (x->resp.failed)
		return ERR_TOO_LONG;
	err = x->d->env->write(x->d->arg, x->resp.data, x->resp.len);
	if (err)
		return err;
	if (x->denied)
		return ERR_DENIED;
	return x->close || !x->req->keep_alive ? ERR_CLOSED : ERR_OK;
}

static enum err serve_one(struct http_dialogue *d, TALLOC_CTX *plan_ctx, TALLOC_CTX *ctx,
			  struct http_parser *p, bool last, struct tunnel_plan **out)
{
	struct http_client client;
	struct exchange x = {
		.d = d, .ctx = ctx, .plan_ctx = plan_ctx, .client = &client, .close = last
	};
	enum err err = read_request(d, p);

	if (err)
		return refuse(d, ctx, p, err);
	x.req = http_parser_request(p);
	http_client_parse(x.req, &client);
	d->env->on_client(d->arg, &client);
	log_event(LOG_LVL_HTTP, d->log, "http-request",
		  LOG_KVS(kv_u64("method", x.req->method), kv_str("path", x.req->path)));
	buf_init(&x.resp, ctx, RESPONSE_MAX);
	err = answer(&x, p);
	secret_wipe(client.ticket, sizeof client.ticket);
	if (!err)
		*out = x.plan;
	return err;
}

enum err http_run(struct http_dialogue *d, TALLOC_CTX *ctx, struct tunnel_plan **out)
{
	struct http_parser *p = http_parser_new(ctx);
	struct tunnel_plan *plan = NULL;
	enum err err = p ? ERR_OK : ERR_NOMEM;

	for (unsigned n = 1; !err && !plan; n++) {
		TALLOC_CTX *tmp = talloc_new(ctx);
		err = tmp ? serve_one(d, ctx, tmp, p, n == HTTP_REQUESTS_MAX, &plan) : ERR_NOMEM;
		if (n == HTTP_REQUESTS_MAX && err == ERR_CLOSED)
			log_info(d->log, "http-limit",
				 kv_text("maximum number of HTTP requests reached"));
		talloc_free(tmp);
		http_parser_reset(p);
	}
	talloc_free(p);
	if (!err)
		*out = plan;
	return err;
}
