/* kkdcp.c - Kerberos messages to the KDC and back, before and without any login. */
#include "worker/http/kkdcp.h"

#include <string.h>

#include "wire/kkdcp.h"

enum { ANSWER_MAX = KKDCP_BODY_MAX + 64 };

bool kkdcp_has(const struct host_conf *host, const char *path)
{
	for (size_t i = 0; i < host->kkdcp.n; i++)
		if (strcmp(host->kkdcp.item[i].path, path) == 0)
			return true;
	return false;
}

/* The KDC's answer, or that there is none; in either case the client may go on. */
static enum err send_answer(struct exchange *x, const struct kdc_answer *answer)
{
	struct buf doc;

	if (!answer->ok) {
		http_resp_begin(&x->resp, 502, "Bad Gateway",
				x->req->keep_alive && !x->close ? HTTP_KEEP_ALIVE : HTTP_CLOSE);
		http_resp_security(&x->resp, exchange_security(x), false);
		http_resp_end(&x->resp);
		return ERR_OK;
	}
	buf_init(&doc, x->ctx, ANSWER_MAX);
	kkdcp_build(&doc, answer->message, answer->len);
	if (doc.failed)
		return ERR_TOO_LONG;
	exchange_begin(x);
	http_resp_security(&x->resp, exchange_security(x), false);
	http_resp_body(&x->resp, "application/kerberos", doc.data, doc.len);
	return ERR_OK;
}

enum err kkdcp_handle(struct exchange *x)
{
	struct kkdcp_request request = { .realm = "" };
	struct kdc_ask ask = { .path = x->req->path, .realm = "" };
	struct kdc_answer answer = { .ok = false };
	enum err malformed, err;

	if (x->req->method != HTTP_POST) {
		exchange_bad_method(x, "POST");
		return ERR_OK;
	}
	malformed = kkdcp_parse((const uint8_t *)x->req->body, x->req->body_len, &request);
	if (!malformed) {
		ask.realm = request.realm;
		ask.message = request.message;
		ask.len = request.len;
	}
	err = x->d->env->relay(x->d->arg, x->ctx, &ask, &answer);
	if (err)
		return err;
	if (!malformed)
		return send_answer(x, &answer);
	log_info(x->d->log, "kkdcp-malformed", kv_err(malformed));
	exchange_error(x, 400, "Bad Request", NULL);
	return ERR_OK;
}
