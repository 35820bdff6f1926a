/* str.h - small string helpers: encodings and lists.  Pure; used by all processes. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

/* A talloc'd array of strings; items are children of `item`. */
struct strv {
	char **item;
	size_t n;
};

/* Appends a copy of TEXT; V->item is a child of CTX. */
MUST_USE enum err strv_add(TALLOC_CTX *ctx, struct strv *v, const char *text);
bool strv_has(const struct strv *v, const char *text);

/* Base64 with padding.  Encoding: NUL-terminated child of CTX.  Decoding: exactly the alphabet and
 * padding, no blanks; at most CAP bytes (ERR_TOO_LONG), checked before anything is decoded. */
char *base64_encode(TALLOC_CTX *ctx, const void *data, size_t len);
MUST_USE enum err base64_decode(const char *text, size_t text_len, uint8_t *out, size_t cap,
				size_t *out_len);

/* Hexadecimal: lower-case output (2*len+1 bytes at TEXT); input of either case, exactly LEN bytes.
 */
char *hex_encode(const void *data, size_t len, char *text);
MUST_USE enum err hex_decode(const char *text, uint8_t *out, size_t len);

/* Copies at most CAP-1 bytes, cutting at a UTF-8 boundary; always terminates. */
void str_copy(char *out, size_t cap, const char *text);

/* Cuts blanks (isspace) off both ends of TEXT, in place. */
char *str_trim(char *text);

/* TEXT begins with PREFIX; the second ignores ASCII case. */
bool str_starts(const char *text, const char *prefix);
bool str_starts_nocase(const char *text, const char *prefix);

/* Parses a whole string as decimal u64 <= MAX, no sign, no blanks. */
MUST_USE enum err str_to_u64(const char *text, uint64_t max, uint64_t *out);

/* Bytes of the UTF-8 character that TEXT begins with, 1 to 4; 0: it begins with none (RFC 3629:
 * nothing overlong, no surrogates, nothing above U+10FFFF). */
size_t str_utf8_len(const char *text);

/* Control characters of ASCII or, in UTF-8, of Latin-1 (U+0080 to U+009F, two bytes). */
bool str_has_control(const char *text);

/* A name usable as a file in a directory we own: not empty, not ".", "..", no '/', no control
 * characters, at most 63 bytes. */
bool str_is_safe_name(const char *text);

#endif /* BASE_STR_H */
