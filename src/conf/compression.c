/* compression.c - the type of compression-algo-priority (config.md 8.3). */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "conf/types.h"

enum { FIRST = 90, SECOND = 80 }; /* priorities of a list's members */

/* The field of P for the algorithm named by the LEN bytes at NAME; NULL when there is none. */
static uint32_t *algo(struct conf_algos *p, const char *name, size_t len)
{
	if ((len == 3 && strncasecmp(name, "lz4", len) == 0) ||
	    (len == 6 && strncasecmp(name, "oc-lz4", len) == 0))
		return &p->lz4;
	return len == 3 && strncasecmp(name, "lzs", len) == 0 ? &p->lzs : NULL;
}

/* The sample files of ocserv have lists of names, its parser wants ALGO:NUMBER: both are in use. */
static bool read_algos(const char *text, struct conf_algos *p)
{
	size_t len = strcspn(text, ":");
	const char *rest = text[len] ? text + len + 1 : NULL;
	uint32_t *first = algo(p, text, len), *second;
	uint64_t n;

	if (!first)
		return false;
	if (rest && str_to_u64(rest, UINT32_MAX, &n) == ERR_OK) {
		*first = (uint32_t)n;
		return n > 0;
	}
	second = rest ? algo(p, rest, strlen(rest)) : first == &p->lz4 ? &p->lzs : &p->lz4;
	if (!second || second == first)
		return false;
	*first = FIRST;
	*second = SECOND;
	return true;
}

/* A value that is none has no effect. */
static bool parse_algos(struct conf_set *s, const char *text, void *out)
{
	struct conf_algos p = *(struct conf_algos *)out;

	if (read_algos(text, &p))
		*(struct conf_algos *)out = p;
	else
		conf_set_warning(
			s,
			"invalid compression modstring %s; write oc-lz4:lzs or lzs:oc-lz4, "
			"or ALGO:NUMBER for one of them, such as lzs:100",
			text);
	return true;
}

/* As a list, because only the order counts. */
static void print_algos(const void *value, struct buf *out)
{
	const struct conf_algos *p = value;

	buf_puts(out, p->lz4 >= p->lzs ? "oc-lz4:lzs" : "lzs:oc-lz4");
}

const struct conf_type conf_type_algos = { "algorithms", sizeof(struct conf_algos), 0, parse_algos,
					   print_algos };
