/* http_req.c - the request parser: a state per kind of line or body piece.
 *
 *	REQUEST_LINE -> HEADER* -> BODY -> DONE
 *	                        -> CHUNK_SIZE -> CHUNK_DATA -> CHUNK_END -> CHUNK_SIZE ...
 *	                           CHUNK_SIZE 0 -> LAST_END -> DONE
 */
#include "wire/http_req.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/str.h"

enum state {
	REQUEST_LINE,
	HEADER,
	BODY,
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_END,
	LAST_END,
	DONE,
	FAILED,
};

enum {
	/* "CONNECT " target " HTTP/1.1\r\n" */
	REQUEST_LINE_MAX = 8 + HTTP_TARGET_MAX + 11,
	/* each header line may add ": ", CRLF and a few more blanks */
	HEAD_MAX = HTTP_HEADERS_MAX + 8 * HTTP_HEADER_COUNT,
	CHUNK_LINE_MAX = 10, /* eight digits and CRLF */
	STORE_FIRST = 1024,
};

/* Growing memory whose every generation is wiped. */
struct store {
	char *data;
	size_t len, cap;
};

struct http_parser {
	enum state state;
	struct store head; /* "name\0value\0" of each header; the unfinished line behind */
	size_t line;	   /* where in head the unfinished line starts */
	size_t counted;	   /* bytes of names and values so far */
	size_t n_headers;
	struct store body;
	size_t left; /* bytes of the body or chunk still to come */
	char chunk_line[CHUNK_LINE_MAX];
	size_t chunk_len;
	char target[HTTP_TARGET_MAX + 2]; /* a '/' may be put in front */
	struct http_request req;
};

static enum err store_put(struct http_parser *p, struct store *st, const char *data, size_t len)
{
	if (len >= st->cap - st->len) {
		size_t cap = st->cap ? st->cap : STORE_FIRST;
		while (cap <= st->len + len)
			cap *= 2;
		char *grown = talloc_size(p, cap);
		if (!grown)
			return ERR_NOMEM;
		secret_mark(grown);
		if (st->len)
			memcpy(grown, st->data, st->len);
		talloc_free(st->data);
		st->data = grown;
		st->cap = cap;
	}
	memcpy(st->data + st->len, data, len);
	st->len += len;
	st->data[st->len] = '\0';
	return ERR_OK;
}

static void store_reset(struct store *st)
{
	if (st->data)
		secret_wipe(st->data, st->cap);
	st->len = 0;
	if (st->cap > STORE_FIRST)
		TALLOC_FREE(st->data);
	if (!st->data)
		st->cap = 0;
}

struct http_parser *http_parser_new(TALLOC_CTX *ctx)
{
	struct http_parser *p = talloc_zero(ctx, struct http_parser);

	if (p)
		secret_mark(p);
	return p;
}

void http_parser_reset(struct http_parser *p)
{
	struct store head = p->head, body = p->body;

	store_reset(&head);
	store_reset(&body);
	talloc_free((void *)p->req.headers);
	secret_wipe(p, sizeof *p);
	p->head = head;
	p->body = body;
}

const struct http_request *http_parser_request(const struct http_parser *p)
{
	return &p->req;
}

bool http_parser_is_started(const struct http_parser *p)
{
	return p->state != DONE && (p->state != REQUEST_LINE || p->head.len > 0);
}

/* RFC 9110 5.6.2: the characters of header names. */
static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Origin form.  CONNECT carries a path as well, from one vendor without its slash (3.1). */
static enum err parse_target(struct http_parser *p, const char *text, size_t len)
{
	bool slash = len && text[0] == '/';
	char *query;

	if (len > HTTP_TARGET_MAX)
		return ERR_TOO_LONG;
	if (!len || (!slash && p->req.method != HTTP_CONNECT))
		return ERR_SYNTAX;
	for (size_t i = 0; i < len; i++)
		if (is_control(text[i]))
			return ERR_SYNTAX;
	p->target[0] = '/';
	memcpy(p->target + (slash ? 0 : 1), text, len);
	query = strchr(p->target, '?');
	if (query)
		*query++ = '\0';
	p->req.path = p->target;
	p->req.query = query;
	return ERR_OK;
}

static enum err parse_method(const char *text, size_t len, enum http_method *out)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",
		[HTTP_POST] = "POST",
		[HTTP_CONNECT] = "CONNECT",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0) {
			*out = (enum http_method)i;
			return ERR_OK;
		}
	return ERR_UNSUPPORTED;
}

/* LINE of LEN bytes without its CRLF: method SP target SP version. */
static enum err on_request_line(struct http_parser *p, const char *line, size_t len)
{
	const char *end = line + len, *sp = memchr(line, ' ', len);
	const char *version = memrchr(line, ' ', len);
	enum err err;

	if (!sp || sp == version)
		return ERR_SYNTAX;
	err = parse_method(line, (size_t)(sp - line), &p->req.method);
	if (err) {
		(void)parse_target(p, sp + 1, (size_t)(version - (sp + 1)));
		return err;
	}
	if (memchr(sp + 1, ' ', (size_t)(version - sp - 1)))
		return ERR_SYNTAX;
	version++;
	if (end - version != 8 || memcmp(version, "HTTP/1.", 7) != 0 ||
	    (version[7] != '0' && version[7] != '1'))
		return ERR_UNSUPPORTED;
	p->req.http10 = version[7] == '0';
	p->state = HEADER;
	return parse_target(p, sp + 1, (size_t)(version - 1 - (sp + 1)));
}

/* Turns the finished line at p->line into name NUL value NUL. */
static enum err on_header_line(struct http_parser *p, char *line, size_t len)
{
	char *colon = memchr(line, ':', len), *end = line + len, *value;
	size_t name_len, value_len;

	if (!colon || colon == line)
		return ERR_SYNTAX; /* also obs-fold: a blank is no name character */
	for (const char *c = line; c < colon; c++)
		if (!is_token_char(*c))
			return ERR_SYNTAX;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');)
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (const char *c = value; c < end; c++)
		if (is_control(*c) && *c != '\t')
			return ERR_SYNTAX;
	name_len = (size_t)(colon - line);
	value_len = (size_t)(end - value);
	p->counted += name_len + value_len;
	if (p->counted > HTTP_HEADERS_MAX || ++p->n_headers > HTTP_HEADER_COUNT)
		return ERR_TOO_LONG;
	*colon = '\0';
	memmove(colon + 1, value, value_len);
	colon[1 + value_len] = '\0';
	p->head.len = (size_t)(colon + 1 + value_len + 1 - p->head.data);
	p->line = p->head.len;
	return ERR_OK;
}

static enum err list_headers(struct http_parser *p)
{
	struct http_header *h = talloc_array(p, struct http_header, (unsigned)p->n_headers);
	const char *text = p->head.data;

	if (!h)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->n_headers; i++) {
		h[i].name = text;
		h[i].value = text + strlen(text) + 1;
		text = h[i].value + strlen(h[i].value) + 1;
	}
	p->req.headers = h;
	p->req.n_headers = p->n_headers;
	return ERR_OK;
}

/* Connection is a list of tokens. */
static bool has_token(const char *list, const char *token)
{
	size_t len = strlen(token);

	while (*list) {
		list += strspn(list, " \t,");
		size_t n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, token, len) == 0)
			return true;
		list += n;
	}
	return false;
}

/* How the end of the body is found; anything two readers could see differently is refused
 * (RFC 9112 6.3, request smuggling). */
struct framing {
	bool has_length, chunked;
	uint64_t length;
};

static enum err read_framing(const struct http_request *req, struct framing *f)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		const struct http_header *h = &req->headers[i];
		uint64_t length;
		if (strcasecmp(h->name, "Content-Length") == 0) {
			if (str_to_u64(h->value, UINT64_MAX, &length))
				return ERR_PROTO;
			if (f->has_length && length != f->length)
				return ERR_PROTO;
			f->has_length = true;
			f->length = length;
		} else if (strcasecmp(h->name, "Transfer-Encoding") == 0) {
			if (f->chunked || req->http10)
				return ERR_PROTO;
			if (strcasecmp(h->value, "chunked") != 0)
				return ERR_UNSUPPORTED;
			f->chunked = true;
		}
	}
	return f->has_length && f->chunked ? ERR_PROTO : ERR_OK;
}

static enum err on_head_end(struct http_parser *p)
{
	struct framing f = { 0 };
	const char *connection;
	enum err err = list_headers(p);

	if (!err)
		err = read_framing(&p->req, &f);
	if (err)
		return err;
	if (f.length > HTTP_BODY_MAX)
		return ERR_TOO_LONG;
	if (p->req.method == HTTP_CONNECT && (f.chunked || f.length))
		return ERR_PROTO;
	connection = http_header(&p->req, "Connection");
	p->req.keep_alive = !p->req.http10 && !(connection && has_token(connection, "close"));
	p->req.body = "";
	p->left = (size_t)f.length;
	p->state = f.chunked ? CHUNK_SIZE : f.length ? BODY : DONE;
	return ERR_OK;
}

/* The line that started at p->line is complete, CRLF included. */
static enum err on_line(struct http_parser *p)
{
	char *line = p->head.data + p->line;
	size_t len = p->head.len - p->line;
	enum err err;

	if (len < 2 || line[len - 2] != '\r')
		return ERR_SYNTAX;
	len -= 2;
	if (p->state == REQUEST_LINE) {
		err = on_request_line(p, line, len);
		p->head.len = 0;
		return err;
	}
	return len ? on_header_line(p, line, len) : on_head_end(p);
}

/* Takes bytes up to the end of a line at most. */
static enum err feed_line(struct http_parser *p, const char **data, size_t *len)
{
	const char *lf = memchr(*data, '\n', *len);
	size_t n = lf ? (size_t)(lf - *data) + 1 : *len;
	size_t limit = p->state == REQUEST_LINE ? REQUEST_LINE_MAX : HEAD_MAX;
	enum err err;

	if (n > limit || p->head.len > limit - n)
		return ERR_TOO_LONG;
	err = store_put(p, &p->head, *data, n);
	if (err)
		return err;
	*data += n;
	*len -= n;
	return lf ? on_line(p) : ERR_OK;
}

static enum err feed_body(struct http_parser *p, const char **data, size_t *len)
{
	size_t n = *len < p->left ? *len : p->left;
	enum err err = store_put(p, &p->body, *data, n);

	if (err)
		return err;
	*data += n;
	*len -= n;
	p->left -= n;
	if (!p->left)
		p->state = p->state == BODY ? DONE : CHUNK_END;
	return ERR_OK;
}

static enum err parse_chunk_size(struct http_parser *p, size_t digits)
{
	size_t size = 0;

	if (!digits)
		return ERR_SYNTAX;
	for (size_t i = 0; i < digits; i++) {
		char c = p->chunk_line[i];
		char lower = (char)(c | 0x20);
		if (c >= '0' && c <= '9')
			size = size << 4 | (size_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			size = size << 4 | (size_t)(lower - 'a' + 10);
		else
			return ERR_SYNTAX;
	}
	if (size > HTTP_BODY_MAX - p->body.len)
		return ERR_TOO_LONG;
	p->left = size;
	p->state = size ? CHUNK_DATA : LAST_END;
	return ERR_OK;
}

/* The short lines between chunks, byte by byte. */
static enum err feed_chunk_line(struct http_parser *p, const char **data, size_t *len)
{
	char c = **data;
	size_t digits;

	++*data;
	--*len;
	if (p->chunk_len == CHUNK_LINE_MAX ||
	    (p->state != CHUNK_SIZE && c != '\r' && c != '\n')) /* also trailers */
		return ERR_SYNTAX;
	p->chunk_line[p->chunk_len++] = c;
	if (c != '\n')
		return ERR_OK;
	if (p->chunk_len < 2 || p->chunk_line[p->chunk_len - 2] != '\r')
		return ERR_SYNTAX;
	digits = p->chunk_len - 2;
	p->chunk_len = 0;
	if (p->state == CHUNK_SIZE)
		return parse_chunk_size(p, digits);
	if (digits)
		return ERR_SYNTAX;
	p->state = p->state == CHUNK_END ? CHUNK_SIZE : DONE;
	return ERR_OK;
}

static enum err feed_step(struct http_parser *p, const char **data, size_t *len)
{
	switch (p->state) {
	case REQUEST_LINE:
	case HEADER:
		return feed_line(p, data, len);
	case BODY:
	case CHUNK_DATA:
		return feed_body(p, data, len);
	case CHUNK_SIZE:
	case CHUNK_END:
	case LAST_END:
		return feed_chunk_line(p, data, len);
	case DONE:
		return ERR_PROTO; /* pipelining */
	case FAILED:
		break;
	}
	return ERR_STATE;
}

enum err http_parser_feed(struct http_parser *p, const void *data, size_t len)
{
	const char *bytes = data;
	enum err err = ERR_OK;

	while (len && !err)
		err = feed_step(p, &bytes, &len);
	if (err) {
		p->state = FAILED;
		return err;
	}
	if (p->state != DONE)
		return ERR_AGAIN;
	if (p->body.len) {
		p->req.body = p->body.data;
		p->req.body_len = p->body.len;
	}
	return ERR_OK;
}

const char *http_header(const struct http_request *req, const char *name)
{
	for (size_t i = req->n_headers; i-- > 0;)
		if (strcasecmp(req->headers[i].name, name) == 0)
			return req->headers[i].value;
	return NULL;
}
