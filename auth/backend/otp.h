/* otp.h - checks one-time passwords against a users file, and writes down which were used.
 * Used by backend/plain.c, in its runner. */
#ifndef AUTH_BACKEND_OTP_H
#define AUTH_BACKEND_OTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum otp_verdict {
	OTP_WRONG,
	OTP_REPLAYED, /* right, but used before, or older than one that was */
	OTP_RIGHT,    /* and from now on used */
	OTP_NO_TOKEN, /* the user has none */
};

/* Checks CODE of USER at NOW (UNIX time) against the file PATH, under its lock, so that of two
 * logins with the same code only one succeeds.  A code counts only once the file says that it was
 * used.  MAY_USE false: the same work for a login that fails anyway; nothing is written.
 * ERR_SYS: the file cannot be read or written, which was logged. */
MUST_USE enum err otp_check(const char *path, const char *user, const char *code, int64_t now,
			    bool may_use, enum otp_verdict *out);

/* Whether USER has a token at all.  Errors as above. */
MUST_USE enum err otp_has_token(const char *path, const char *user, bool *out);

#endif /* AUTH_BACKEND_OTP_H */
