/* totp.h - enrolling a TOTP token: the line of the OTP users file (admin.md 9), the URI that
 * authenticator programs read, and its QR code for a terminal.  Pure; used by ocpasswd. */
#ifndef CTL_TOTP_H
#define CTL_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	TOTP_SECRET = 20, /* bytes, as RFC 4226 wants for SHA-1 */
	TOTP_LINE = 1024, /* characters of a line that the server reads */
};

/* The users file TEXT (LEN bytes; NULL when there is none) without USER's tokens and, unless SECRET
 * is NULL, with a new one.  All other lines stay.  *REMOVED counts the tokens that went.  *OUT is a
 * NUL-terminated child of CTX.  ERR_SYNTAX: USER cannot stand in such a file (blanks, control
 * characters, a leading '#', too long), or TEXT holds a NUL. */
MUST_USE enum err totp_edit(TALLOC_CTX *ctx, const char *text, size_t len, const char *user,
			    const uint8_t secret[TOTP_SECRET], unsigned *removed, char **out,
			    size_t *out_len);

/* otpauth://totp/ISSUER:USER?... with everything escaped that must be.  Child of CTX, a secret;
 * NULL without memory. */
char *totp_uri(TALLOC_CTX *ctx, const char *issuer, const char *user,
	       const uint8_t secret[TOTP_SECRET]);

/* TEXT as a QR code of half blocks, lines ending in LF, dark on light on any terminal when COLOR.
 * Child of CTX, a secret; NULL: too long, or no memory. */
char *totp_qr(TALLOC_CTX *ctx, const char *text, bool color);

#endif /* CTL_TOTP_H */
