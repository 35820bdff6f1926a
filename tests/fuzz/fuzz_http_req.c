/* fuzz_http_req.c - the request parser: however the bytes are cut, the verdict is the same, and
 * what it extracts can be read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "base/buf.h"
#include "base/secret.h"
#include "wire/http_client.h"
#include "wire/http_req.h"
#include "wire/http_resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err feed_in_steps(struct http_parser *p, const uint8_t *data, size_t size, size_t step)
{
	enum err err = ERR_AGAIN;

	for (size_t i = 0; i < size && (err == ERR_AGAIN || err == ERR_OK); i += step)
		err = http_parser_feed(p, data + i, size - i < step ? size - i : step);
	return err;
}

/* A response made of the request's texts has no line that the request chose. */
static void answer(TALLOC_CTX *ctx, const struct http_request *req)
{
	size_t lines = 0;
	struct buf b;

	buf_init(&b, ctx, 1 << 20);
	http_resp_begin(&b, 200, req->path, HTTP_KEEP_ALIVE);
	http_resp_header(&b, "X-Query", req->query ? req->query : "");
	http_resp_header(&b, "X-Body", req->body);
	http_resp_end(&b);
	for (size_t i = 0; i < b.len; i++)
		lines += b.data[i] == '\n';
	if (lines != 6)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct http_parser *whole = http_parser_new(ctx), *cut = http_parser_new(ctx);
	struct http_client client;
	enum err a, b;

	if (size < 2 || size > 1 << 16)
		goto out;
	a = feed_in_steps(whole, data + 1, size - 1, size);
	b = feed_in_steps(cut, data + 1, size - 1, (size_t)data[0] % 16 + 1);
	if (a != b)
		abort();
	if (a == ERR_OK) {
		const struct http_request *req = http_parser_request(cut);
		if (req->body_len != http_parser_request(whole)->body_len || req->path[0] != '/')
			abort();
		http_client_parse(req, &client);
		answer(ctx, req);
		secret_wipe(&client, sizeof client);
	}
	http_parser_reset(whole);
out:
	talloc_free(ctx);
	return 0;
}
