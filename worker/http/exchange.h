/* exchange.h - one request and the answer under construction.  Used inside worker/http. */
#ifndef WORKER_HTTP_EXCHANGE_H
#define WORKER_HTTP_EXCHANGE_H

#include "base/buf.h"
#include "wire/http_req.h"
#include "wire/http_resp.h"
#include "worker/http/http.h"

struct exchange {
	struct http_dialogue *d;
	TALLOC_CTX *ctx; /* lives as long as the exchange */
	const struct http_request *req;
	const struct http_client *client;
	struct buf resp;	  /* sent after the handler, unless a plan was made */
	bool close;		  /* no further request */
	bool denied;		  /* the closing is a refusal: say so with an alert */
	struct tunnel_plan *plan; /* child of PLAN_CTX */
	TALLOC_CTX *plan_ctx;
};

/* Answers in X->resp, or sets X->plan.  An error ends the connection without an answer. */
typedef enum err (*exchange_handler)(struct exchange *x);

/* Begins a 200 answer with what every one has. */
void exchange_begin(struct exchange *x);

/* A 404 page, or STATUS without a body; both close the connection. */
void exchange_not_found(struct exchange *x);
void exchange_error(struct exchange *x, unsigned status, const char *reason, const char *x_reason);

/* 405 for a method other than those that ALLOW lists; closes the connection. */
void exchange_bad_method(struct exchange *x, const char *allow);

/* The host's lines of included-http-headers, which begin with those of the default host; NULL for
 * the default ones.  A host with camouflage has no default ones: no ordinary server sends just
 * these. */
const struct strv *exchange_security(const struct exchange *x);

/* The same without an exchange. */
const struct strv *dialogue_security(const struct http_dialogue *d);

#endif /* WORKER_HTTP_EXCHANGE_H */
