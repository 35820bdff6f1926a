/* otp_token.h - the text of an OTP users file (admin.md 9), in the format of the OATH toolkit:
 *
 *	TYPE USER PIN SECRET [COUNTER CODE TIME]
 *
 * Pure; used by backend/otp.c. */
#ifndef AUTH_BACKEND_OTP_TOKEN_H
#define AUTH_BACKEND_OTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum {
	OTP_SECRET_MAX = 128, /* bytes */
	OTP_CODE_MAX = 15,    /* characters */
	OTP_LINE_MAX = 1024,
};

/* One line. */
struct otp_token {
	unsigned step;	 /* seconds of a TOTP code; 0: HOTP */
	unsigned digits; /* 6, 7 or 8; 0: any of them */
	uint8_t secret[OTP_SECRET_MAX];
	size_t secret_len;
	/* HOTP: of the last code used, or to begin with; TOTP: time step of the last code used. */
	uint64_t counter;
	char last[OTP_CODE_MAX + 1]; /* the last code used; "" none */
	size_t at, len, head; /* offset and length of the line, without its end, and the length of
				 what never changes: up to the secret */
};

/* What using a token leaves behind. */
struct otp_use {
	uint64_t counter;
	const char *code;
	int64_t now; /* UNIX time */
};

/* The next token of USER in TEXT (LEN bytes) at or after offset *POS, which moves behind it.  Lines
 * that are no tokens (comments, unknown types, broken secrets) are passed over.  False: none. */
bool otp_token_next(const char *text, size_t len, const char *user, size_t *pos,
		    struct otp_token *out);

/* TEXT with USE written to the line of TOKEN.  *OUT is a NUL-terminated child of CTX. */
MUST_USE enum err otp_token_write(TALLOC_CTX *ctx, const char *text, size_t len,
				  const struct otp_token *token, const struct otp_use *use,
				  char **out, size_t *out_len);

#endif /* AUTH_BACKEND_OTP_TOKEN_H */
