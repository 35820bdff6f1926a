/* der_help.h - puts DER together for tests: each call wraps what was built inside. */
#ifndef TESTS_DER_HELP_H
#define TESTS_DER_HELP_H

#include <stdint.h>
#include <string.h>

#include "base/der.h"

enum { DER_SPACE = 4096 };

struct made {
	uint8_t data[DER_SPACE];
	size_t len;
};

/* An element TAG of the LEN bytes at VALUE. */
static inline struct made made_of(uint8_t tag, const void *value, size_t len)
{
	struct made m = { .len = 0 };

	m.data[m.len++] = tag;
	if (len >= 0x80) {
		m.data[m.len++] = 0x82;
		m.data[m.len++] = (uint8_t)(len >> 8);
	}
	m.data[m.len++] = (uint8_t)len;
	if (len)
		memcpy(m.data + m.len, value, len);
	m.len += len;
	return m;
}

static inline struct made made_text(uint8_t tag, const char *text)
{
	return made_of(tag, text, strlen(text));
}

/* An element TAG around the N elements at PART, one after the other. */
static inline struct made made_around(uint8_t tag, const struct made *part, size_t n)
{
	struct made all = { .len = 0 };

	for (size_t i = 0; i < n; i++) {
		memcpy(all.data + all.len, part[i].data, part[i].len);
		all.len += part[i].len;
	}
	return made_of(tag, all.data, all.len);
}

#define MADE(tag, ...)                                                                             \
	made_around(tag, (const struct made[]){ __VA_ARGS__ },                                     \
		    sizeof((const struct made[]){ __VA_ARGS__ }) / sizeof(struct made))

static inline struct der made_der(const struct made *m)
{
	return (struct der){ m->data, m->len };
}

#endif /* TESTS_DER_HELP_H */
