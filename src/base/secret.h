/* secret.h - small secrets: wiped when freed, compared in constant time, never printable.
 * Used by auth and by the worker for one session's keys. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* A talloc chunk whose destructor wipes it; data is NUL-terminated beyond len for the convenience
 * of C string users. */
struct secret {
	size_t len;
	uint8_t data[];
};

/* A copy of LEN bytes at DATA, child of CTX; NULL without memory. */
struct secret *secret_new(TALLOC_CTX *ctx, const void *data, size_t len);

/* As a C string; valid as long as S. */
const char *secret_text(const struct secret *s);

/* Makes an existing talloc chunk (a string, a struct) be wiped when it is freed. */
void secret_mark(void *talloc_chunk);

/* Wipes memory in a way the compiler keeps. */
void secret_wipe(void *data, size_t len);

/* Compares LEN bytes in constant time. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Fills OUT with LEN bytes of the kernel's CSPRNG; cannot fail (aborts the process instead). */
void secret_random(void *out, size_t len);

#endif /* BASE_SECRET_H */
