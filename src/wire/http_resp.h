/* http_resp.h - builds HTTP responses into a struct buf.
 * Pure; used by the worker.  Order of calls: begin, headers and cookies, then body or end.
 * Control characters in any value are left out, so no text can add a header or a response. */
#ifndef WIRE_HTTP_RESP_H
#define WIRE_HTTP_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum http_connection { HTTP_KEEP_ALIVE, HTTP_CLOSE, HTTP_SILENT };

/* The status line and the Connection header; HTTP_SILENT leaves that one out. */
void http_resp_begin(struct buf *b, unsigned status, const char *reason,
		     enum http_connection connection);

/* One "Name: value" line.  A NAME that is no token fails the buffer. */
void http_resp_header(struct buf *b, const char *name, const char *value);
void http_resp_header_u64(struct buf *b, const char *name, uint64_t value);

/* A whole "Name: value" line from the configuration.  Lines without a proper name are skipped, and
 * those that would say again how long the response is or what it is. */
void http_resp_line(struct buf *b, const char *line);

/* Set-Cookie.  Secure is always set.  MAX_AGE 0: none.  VALUE must be free of ';' (fails B). */
enum cookie_flags {
	COOKIE_HTTP_ONLY = 1,
	COOKIE_PATH = 2,   /* path=/ */
	COOKIE_DELETE = 4, /* expired in 1970; the value is left out */
};
void http_resp_cookie(struct buf *b, const char *name, const char *value, uint64_t max_age,
		      unsigned flags);

/* The two webvpnc cookies of a successful login (protocol.md 4.11).  CERT_SHA1: upper-case hex of
 * the certificate shown on this connection.  PROFILE: file name, NULL for none, and its SHA-1. */
void http_resp_webvpnc(struct buf *b, const char *cert_sha1, const char *profile,
		       const char *profile_sha1);

/* Security headers: LINES, or the default list of protocol.md 3.6 when LINES is NULL.  BROWSER_LEG:
 * without Clear-Site-Data and the CSP, which would break a single sign-on page. */
void http_resp_security(struct buf *b, const struct strv *lines, bool browser_leg);

/* Ends the head with Content-Type and Content-Length and appends LEN bytes of BODY. */
void http_resp_body(struct buf *b, const char *type, const char *body, size_t len);

/* Ends the head with Content-Length: 0. */
void http_resp_end(struct buf *b);

/* A whole error response with Connection: close and no body; X_REASON (NULL: none) is shown to
 * users by openconnect for 503.  SECURITY as in http_resp_security. */
void http_resp_error(struct buf *b, unsigned status, const char *reason, const char *x_reason,
		     const struct strv *security);

/* The whole 404 page. */
void http_resp_not_found(struct buf *b, const struct strv *security);

#endif /* WIRE_HTTP_RESP_H */
