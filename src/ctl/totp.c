/* totp.c - TOTP tokens for files, authenticator programs and terminals. */
#include "ctl/totp.h"

#include <ctype.h>
#include <string.h>

#include <qrencode.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"

enum { QUIET = 2, QR_MAX = 64 * 1024, URI_MAX = 4096 };

/* ---- the users file ------------------------------------------------------- */

static bool is_writable_name(const char *user)
{
	for (const char *p = user; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127)
			return false;
	return *user && *user != '#' && strlen(user) < TOTP_LINE / 2;
}

/* Whether LINE (N bytes) is a token of USER: its second field is the name. */
static bool is_of(const char *line, size_t n, const char *user)
{
	static const char blanks[] = " \t\r";
	char copy[TOTP_LINE + 1];
	const char *name;

	if (n > TOTP_LINE)
		return false;
	memcpy(copy, line, n);
	copy[n] = '\0';
	name = copy + strspn(copy, blanks);
	if (!str_starts(name, "HOTP"))
		return false;
	name += strcspn(name, blanks);
	name += strspn(name, blanks);
	n = strcspn(name, blanks);
	return n == strlen(user) && memcmp(name, user, n) == 0;
}

enum err totp_edit(TALLOC_CTX *ctx, const char *text, size_t len, const char *user,
		   const uint8_t secret[TOTP_SECRET], unsigned *removed, char **out,
		   size_t *out_len)
{
	char hex[TOTP_SECRET * 2 + 1];
	struct buf b;

	if (!is_writable_name(user) || (text && memchr(text, '\0', len)))
		return ERR_SYNTAX;
	*removed = 0;
	buf_init(&b, ctx, len + TOTP_LINE);
	for (size_t at = 0, n; at < len; at += n) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - text) - at : len - at;
		if (is_of(text + at, n, user)) {
			++*removed;
		} else {
			buf_put(&b, text + at, n);
			buf_putc(&b, '\n');
		}
		n += end ? 1 : 0;
	}
	if (secret)
		buf_printf(&b, "HOTP/T30/6\t%s\t-\t%s\n", user,
			   hex_encode(secret, TOTP_SECRET, hex));
	secret_wipe(hex, sizeof hex);
	if (b.failed)
		return ERR_TOO_LONG;
	*out_len = b.len;
	*out = (char *)(uintptr_t)buf_text(&b);
	return ERR_OK;
}

/* ---- the URI -------------------------------------------------------------- */

static void add_escaped(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~@", *text))
			buf_putc(b, *text);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
}

/* RFC 4648 base32; the length of a secret needs no padding. */
static void add_base32(struct buf *b, const uint8_t secret[TOTP_SECRET])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	_Static_assert(TOTP_SECRET % 5 == 0, "whole groups of 40 bits");
	for (size_t bit = 0; bit < TOTP_SECRET * 8; bit += 5) {
		unsigned two = (unsigned)secret[bit / 8] << 8;

		if (bit / 8 + 1 < TOTP_SECRET)
			two |= secret[bit / 8 + 1];
		buf_putc(b, alphabet[two >> (11 - bit % 8) & 31]);
	}
}

char *totp_uri(TALLOC_CTX *ctx, const char *issuer, const char *user,
	       const uint8_t secret[TOTP_SECRET])
{
	struct buf b;
	char *out;

	buf_init(&b, ctx, URI_MAX);
	buf_puts(&b, "otpauth://totp/");
	add_escaped(&b, issuer);
	buf_putc(&b, ':');
	add_escaped(&b, user);
	buf_puts(&b, "?secret=");
	add_base32(&b, secret);
	buf_puts(&b, "&issuer=");
	add_escaped(&b, issuer);
	buf_puts(&b, "&algorithm=SHA1&digits=6&period=30");
	out = b.failed ? NULL : (char *)(uintptr_t)buf_text(&b);
	if (out)
		secret_mark(out);
	return out;
}

/* ---- the QR code ---------------------------------------------------------- */

static bool is_dark(const QRcode *qr, int x, int y)
{
	return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
	       (qr->data[y * qr->width + x] & 1);
}

/* Two rows of modules a line.  Blocks are the light modules, so that terminals with a dark
 * background show it right; with COLOR it is right on any. */
static void draw(struct buf *b, const QRcode *qr, bool color)
{
	static const char *const block[] = { "█", "▀", "▄", " " };

	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		buf_puts(b, color ? "\033[40;97m" : "");
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			buf_puts(b, block[(is_dark(qr, x, y) ? 2 : 0) | is_dark(qr, x, y + 1)]);
		buf_puts(b, color ? "\033[0m\n" : "\n");
	}
}

char *totp_qr(TALLOC_CTX *ctx, const char *text, bool color)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	struct buf b;
	char *out;

	if (!qr)
		return NULL;
	buf_init(&b, ctx, QR_MAX);
	draw(&b, qr, color);
	secret_wipe(qr->data, (size_t)qr->width * (size_t)qr->width);
	QRcode_free(qr);
	out = b.failed ? NULL : (char *)(uintptr_t)buf_text(&b);
	if (out)
		secret_mark(out);
	return out;
}
