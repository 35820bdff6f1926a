/* http_req.h - strict incremental parser of the HTTP/1.x requests VPN clients send.
 * Pure; used by the worker before the tunnel.  Limits and rules: protocol.md 3.1. */
#ifndef WIRE_HTTP_REQ_H
#define WIRE_HTTP_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"

enum {
	HTTP_TARGET_MAX = 255,	      /* bytes of path and query */
	HTTP_HEADERS_MAX = 16 * 1024, /* sum of all names and values */
	HTTP_HEADER_COUNT = 2048,     /* the sum above is reached before, unless they are absurd */
	HTTP_BODY_MAX = 256 * 1024,
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_CONNECT };

struct http_header {
	const char *name;  /* as sent */
	const char *value; /* without surrounding blanks; no control characters but HT */
};

/* One complete request; everything is borrowed until http_parser_reset or the parser's end. */
struct http_request {
	enum http_method method;
	const char *path;  /* not decoded; always begins with '/', also where CONNECT omits it */
	const char *query; /* what follows the first '?'; NULL without one */
	const struct http_header *headers;
	size_t n_headers;
	const char *body; /* NUL-terminated, may hold NULs; "" without one */
	size_t body_len;
	bool http10;	 /* HTTP/1.0 */
	bool keep_alive; /* another request may follow */
};

struct http_parser;

/* A parser at the start of a request; child of CTX, NULL without memory.  All it stores is wiped
 * when it is reset or freed, since heads and bodies carry cookies and passwords. */
struct http_parser *http_parser_new(TALLOC_CTX *ctx);

/* Takes LEN received bytes.  ERR_OK: the request is complete.  ERR_AGAIN: feed more.
 * Anything else: answer as said and close.
 *	ERR_UNSUPPORTED	unknown method, version or transfer coding: 404; the request's query is
 *valid ERR_TOO_LONG	a limit was passed ERR_SYNTAX	malformed (obs-fold, bare LF, no colon,
 *chunk extensions, trailers, ...) ERR_PROTO	bytes after the request (pipelining), or its length
 *is ambiguous ERR_NOMEM After an error or ERR_OK only a reset leads on. */
MUST_USE enum err http_parser_feed(struct http_parser *p, const void *data, size_t len);

/* The request after ERR_OK; borrowed until the reset. */
const struct http_request *http_parser_request(const struct http_parser *p);

/* Some bytes of a request have arrived, but not all (for logs and time limits). */
bool http_parser_is_started(const struct http_parser *p);

/* Wipes the request and starts on the next one. */
void http_parser_reset(struct http_parser *p);

/* Value of the last header NAME (any case), NULL without one. */
const char *http_header(const struct http_request *req, const char *name);

#endif /* WIRE_HTTP_REQ_H */
