/* wire_request.h - a parsed request from a text, for the tests of src/wire. */
#ifndef TESTS_WIRE_REQUEST_H
#define TESTS_WIRE_REQUEST_H

#include <string.h>

#include "wire/http_req.h"

/* Head lines with LF only, for legibility; they are sent with CRLF and an empty line is added. */
static inline const struct http_request *request(TALLOC_CTX *ctx, const char *lines)
{
	struct http_parser *p = http_parser_new(ctx);
	enum err err = ERR_AGAIN;

	for (; *lines; lines++) {
		err = http_parser_feed(p, *lines == '\n' ? "\r\n" : lines, *lines == '\n' ? 2 : 1);
		assert_int_equal(err, ERR_AGAIN);
	}
	assert_int_equal(http_parser_feed(p, "\r\n", 2), ERR_OK);
	return http_parser_request(p);
}

#endif /* TESTS_WIRE_REQUEST_H */
