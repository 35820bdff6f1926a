/* text.h - text from strangers on the administrator's terminal: what it would do there, how wide it
 * is.  User names, user agents and host names come from clients.  Pure; used by occtl. */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

enum { TEXT_INVALID = 0x80000000 }; /* with the byte below it: no UTF-8 */

/* The character at *P, which moves behind it; not for the end of the text. */
uint32_t text_next(const char **p);

/* C acts on a terminal instead of being shown: control characters of both sets, and those that
 * hide or reorder what stands beside them. */
bool text_is_steering(uint32_t c);

/* TEXT with "\x1b", "\u202e" for what steers and for bytes that are no UTF-8; a child of CTX (""
 * without memory). */
char *text_safe(TALLOC_CTX *ctx, const char *text);

/* Columns that TEXT, which is safe, takes on a terminal. */
size_t text_width(const char *text);

/* As much of the safe TEXT as fits WIDTH columns with END behind it; a child of CTX ("" without
 * memory). */
char *text_cut(TALLOC_CTX *ctx, const char *text, size_t width, const char *end);

#endif /* CTL_TEXT_H */
