/* http_resp.c - the response builder. */
#include "wire/http_resp.h"

#include <inttypes.h>
#include <string.h>

/* protocol.md 3.6 */
static const char *const default_security[] = {
	"Strict-Transport-Security: max-age=31536000 ; includeSubDomains",
	"X-Frame-Options: deny",
	"X-Content-Type-Options: nosniff",
	"Content-Security-Policy: default-src 'none'",
	"X-Permitted-Cross-Domain-Policies: none",
	"Referrer-Policy: no-referrer",
	"Clear-Site-Data: \"cache\",\"cookies\",\"storage\"",
	"Cross-Origin-Embedder-Policy: require-corp",
	"Cross-Origin-Opener-Policy: same-origin",
	"Cross-Origin-Resource-Policy: same-origin",
	"X-XSS-Protection: 0",
	"Pragma: no-cache",
	"Cache-Control: no-store, no-cache",
};

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* VALUE without its control characters: a CR or LF would begin another header. */
static void put_clean(struct buf *b, const char *value)
{
	for (; *value; value++)
		if (!is_control(*value))
			buf_putc(b, *value);
}

static bool is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= 0x20 || (unsigned char)name[i] >= 0x7f ||
		    strchr("()<>@,;:\\\"/[]?={}", name[i]))
			return false;
	return len > 0;
}

void http_resp_begin(struct buf *b, unsigned status, const char *reason,
		     enum http_connection connection)
{
	buf_printf(b, "HTTP/1.1 %u ", status);
	put_clean(b, reason);
	buf_puts(b, "\r\n");
	if (connection != HTTP_SILENT)
		http_resp_header(b, "Connection",
				 connection == HTTP_CLOSE ? "close" : "Keep-Alive");
}

void http_resp_header(struct buf *b, const char *name, const char *value)
{
	if (!is_name(name, strlen(name))) {
		b->failed = true;
		return;
	}
	buf_puts(b, name);
	buf_puts(b, ": ");
	put_clean(b, value);
	buf_puts(b, "\r\n");
}

void http_resp_header_u64(struct buf *b, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	http_resp_header(b, name, text);
}

/* Each response has these from the builder; a second one could cut it at another place. */
static bool is_framing(const char *line)
{
	static const char *const own[] = { "Connection:", "Content-Length:", "Content-Type:",
					   "Transfer-Encoding:" };

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (str_starts_nocase(line, own[i]))
			return true;
	return false;
}

void http_resp_line(struct buf *b, const char *line)
{
	const char *colon = strchr(line, ':');

	if (!colon || !is_name(line, (size_t)(colon - line)) || is_framing(line))
		return;
	put_clean(b, line);
	buf_puts(b, "\r\n");
}

void http_resp_cookie(struct buf *b, const char *name, const char *value, uint64_t max_age,
		      unsigned flags)
{
	if (!is_name(name, strlen(name)) || strchr(value, ';')) {
		b->failed = true;
		return;
	}
	buf_printf(b, "Set-Cookie: %s=", name);
	if (flags & COOKIE_DELETE)
		buf_puts(b, "; expires=Thu, 01 Jan 1970 22:00:00 GMT");
	else
		put_clean(b, value);
	if (max_age)
		buf_printf(b, "; Max-Age=%" PRIu64, max_age);
	if (flags & COOKIE_PATH)
		buf_puts(b, "; path=/");
	buf_puts(b, "; Secure");
	if (flags & COOKIE_HTTP_ONLY)
		buf_puts(b, "; HttpOnly");
	buf_puts(b, "\r\n");
}

void http_resp_webvpnc(struct buf *b, const char *cert_sha1, const char *profile,
		       const char *profile_sha1)
{
	http_resp_cookie(b, "webvpnc", "", 0, COOKIE_DELETE | COOKIE_PATH | COOKIE_HTTP_ONLY);
	buf_puts(b, "Set-Cookie: webvpnc=bu:/&p:t&iu:1/&sh:");
	put_clean(b, cert_sha1);
	if (profile) {
		buf_puts(b, "&lu:/+CSCOT+/translation-table?textdomain%3DAnyConnect%26type"
			    "%3Dmanifest&fu:profiles%2F");
		put_clean(b, profile);
		buf_puts(b, "&fh:");
		put_clean(b, profile_sha1);
	}
	buf_puts(b, "; path=/; Secure; HttpOnly\r\n");
}

static void put_security_line(struct buf *b, const char *line, bool browser_leg)
{
	/* they would delete the token cookie and stop the page (protocol.md 3.6) */
	if (browser_leg && (str_starts_nocase(line, "Clear-Site-Data:") ||
			    str_starts_nocase(line, "Content-Security-Policy:")))
		return;
	http_resp_line(b, line);
}

/* config.md 8.13: no duplicates, though the configuration may have the line twice. */
static bool came_before(const struct strv *lines, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(lines->item[i], lines->item[at]) == 0)
			return true;
	return false;
}

void http_resp_security(struct buf *b, const struct strv *lines, bool browser_leg)
{
	if (lines) {
		for (size_t i = 0; i < lines->n; i++)
			if (!came_before(lines, i))
				put_security_line(b, lines->item[i], browser_leg);
		return;
	}
	for (size_t i = 0; i < sizeof default_security / sizeof *default_security; i++)
		put_security_line(b, default_security[i], browser_leg);
}

void http_resp_body(struct buf *b, const char *type, const char *body, size_t len)
{
	http_resp_header(b, "Content-Type", type);
	http_resp_header_u64(b, "Content-Length", len);
	buf_puts(b, "\r\n");
	buf_put(b, body, len);
}

void http_resp_end(struct buf *b)
{
	buf_puts(b, "Content-Length: 0\r\n\r\n");
}

void http_resp_error(struct buf *b, unsigned status, const char *reason, const char *x_reason,
		     const struct strv *security)
{
	http_resp_begin(b, status, reason, HTTP_CLOSE);
	if (x_reason)
		http_resp_header(b, "X-Reason", x_reason);
	http_resp_security(b, security, false);
	http_resp_end(b);
}

void http_resp_not_found(struct buf *b, const struct strv *security)
{
	static const char page[] = "<html><body><h1>404 Not Found</h1></body></html>\r\n";

	http_resp_begin(b, 404, "Not found", HTTP_CLOSE);
	http_resp_security(b, security, false);
	http_resp_body(b, "text/html", page, sizeof page - 1);
}
