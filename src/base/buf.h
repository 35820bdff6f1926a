/* buf.h - a growing byte buffer with a hard limit, for building texts and messages.
 * A failed append sets `failed` and later ones do nothing, so a builder checks once, at its end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct buf {
	TALLOC_CTX *ctx; /* owner of data */
	char *data;	 /* always followed by a NUL once anything was appended */
	size_t len, cap, limit;
	bool failed; /* the limit was reached or memory ran out */
};

/* Empty buffer whose memory is a child of CTX and never holds more than LIMIT bytes. */
void buf_init(struct buf *b, TALLOC_CTX *ctx, size_t limit);

void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends TEXT with & < > " escaped for XML and control characters other than TAB, LF left out. */
void buf_put_xml(struct buf *b, const char *text);

/* Contents as a NUL-terminated string ("" when empty); owned by the buffer. */
const char *buf_text(const struct buf *b);

/* Forgets the contents, keeps the memory. */
void buf_reset(struct buf *b);

#endif /* BASE_BUF_H */
