/* lzs.c - the LZS bit stream, both directions. */
#include "wire/lzs.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

enum {
	WINDOW = 2047,	    /* largest offset */
	SHORT_OFFSET = 127, /* largest one of the short form */
	MIN_MATCH = 3,	    /* what is looked for; the format knows 2, too */
	LOOKED_AT = 4,	    /* bytes read to look it up */
	TRIAL = 512,	    /* bytes after which a packet that has not shrunk is given up */
	HASH_SHIFT = 21,    /* 32 bits to LZS_SLOTS */
	WORD = 4,	    /* bytes written at a time */
};

_Static_assert(LZS_SLOTS == 1 << (32 - HASH_SHIFT), "slots of the hash");

/* ---- compression ---- */

/* Bits on their way out.  Nothing is written beyond `end`. */
struct writer {
	uint8_t *at, *end;
	uint64_t bits; /* the last `n` are pending */
	unsigned n;
	bool full;
};

/* Appends the low N bits of V, at most 24. */
static inline void put(struct writer *w, uint32_t v, unsigned n)
{
	w->bits = w->bits << n | v;
	w->n += n;
	if (w->n < 32)
		return;
	if (w->end - w->at < WORD) {
		w->full = true;
		w->n = 0;
		return;
	}
	w->n -= 32;
	uint32_t word = htobe32((uint32_t)(w->bits >> w->n));
	memcpy(w->at, &word, WORD);
	w->at += WORD;
}

static void put_length(struct writer *w, size_t len)
{
	if (len < 5) {
		put(w, (uint32_t)(len - 2), 2);
		return;
	}
	if (len < 8) {
		put(w, (uint32_t)(0xc + len - 5), 4);
		return;
	}
	put(w, 0xf, 4);
	for (len -= 8; len >= 15 && !w->full; len -= 15)
		put(w, 0xf, 4);
	put(w, (uint32_t)len, 4);
}

static inline void put_match(struct writer *w, size_t offset, size_t len)
{
	if (offset <= SHORT_OFFSET)
		put(w, 3u << 7 | (uint32_t)offset, 9);
	else
		put(w, 2u << 11 | (uint32_t)offset, 13);
	put_length(w, len);
}

/* The end marker and what is left of the last byte.  False: no room. */
static bool finish(struct writer *w)
{
	put(w, 3u << 7, 9);
	put(w, 0, -w->n & 7);
	if (w->full || w->end - w->at < (ptrdiff_t)(w->n / 8))
		return false;
	for (; w->n; w->n -= 8)
		*w->at++ = (uint8_t)(w->bits >> (w->n - 8));
	return true;
}

static inline uint32_t hash(const uint8_t *p)
{
	uint32_t four;

	memcpy(&four, p, sizeof four);
	return (htole32(four) << 8) * 2654435761u >> HASH_SHIFT;
}

static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;
	uint64_t x, y;

	while (end - b >= (ptrdiff_t)sizeof x) {
		memcpy(&x, a, sizeof x);
		memcpy(&y, b, sizeof y);
		if (x != y)
			break;
		a += sizeof x;
		b += sizeof x;
	}
	while (b < end && *a == *b) {
		a++;
		b++;
	}
	return (size_t)(b - start);
}

/* How far before IN + I the bytes there were seen last; 0 when that is unknown, too far, or before
 * IN, which is another packet. */
static inline size_t look_up(struct lzs_table *t, const uint8_t *in, size_t i)
{
	uint32_t *slot = &t->at[hash(in + i)];
	uint32_t here = t->base + (uint32_t)i, offset = here - *slot;

	*slot = here;
	return offset <= i && offset <= WINDOW ? offset : 0;
}

/* Zero stands for a slot never used, so no packet begins there. */
static void begin(struct lzs_table *t)
{
	if (t->base != 0 && t->base <= UINT32_MAX - LZS_INPUT_MAX)
		return;
	memset(t->at, 0, sizeof t->at);
	t->base = 1;
}

size_t lzs_compress(struct lzs_table *t, const uint8_t *in, size_t len, uint8_t *out, size_t cap)
{
	struct writer w = { .at = out, .end = out + cap };
	size_t i = 0, trial = TRIAL;

	if (len == 0 || len > LZS_INPUT_MAX)
		return 0;
	begin(t);
	while (i + LOOKED_AT <= len && !w.full) {
		size_t offset = look_up(t, in, i);
		size_t n = offset ? match_length(in + i - offset, in + i, in + len) : 0;

		if (n >= MIN_MATCH) {
			put_match(&w, offset, n);
			i += n;
		} else {
			put(&w, in[i++], 9);
		}
		if (i >= trial) {
			w.full |= (size_t)(w.at - out) >= i;
			trial = SIZE_MAX;
		}
	}
	for (; i < len && !w.full; i++)
		put(&w, in[i], 9);
	t->base += (uint32_t)len;
	return finish(&w) ? (size_t)(w.at - out) : 0;
}

/* ---- decompression ---- */

/* Bits on their way in.  Beyond the end of the input there are none. */
struct reader {
	const uint8_t *at, *end;
	uint64_t bits; /* the last `n` are unread */
	unsigned n;
	bool dry;
};

/* The next N bits, at most 16; 0 and `dry` when there are not so many. */
static inline uint32_t get(struct reader *r, unsigned n)
{
	while (r->n < n && r->at < r->end) {
		r->bits = r->bits << 8 | *r->at++;
		r->n += 8;
	}
	if (r->n < n) {
		r->dry = true;
		return 0;
	}
	r->n -= n;
	return (uint32_t)(r->bits >> r->n) & ((1u << n) - 1);
}

/* The length of a match; above MAX once it is known to be, so that no chain of groups is endless.
 */
static size_t get_length(struct reader *r, size_t max)
{
	uint32_t v = get(r, 2);
	size_t len = 8;

	if (v < 3)
		return v + 2;
	v = get(r, 2);
	if (v < 3)
		return v + 5;
	do {
		v = get(r, 4);
		len += v;
	} while (v == 15 && len <= max);
	return len;
}

/* Copies byte by byte where the match overlaps what it makes. */
static void copy_match(uint8_t *to, size_t offset, size_t len)
{
	const uint8_t *from = to - offset;

	if (offset >= len) {
		memcpy(to, from, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
}

enum err lzs_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	struct reader r = { .at = in, .end = in + len };
	size_t n = 0;

	for (;;) {
		if (!get(&r, 1)) {
			uint8_t literal = (uint8_t)get(&r, 8);
			if (r.dry)
				return ERR_SYNTAX;
			if (n == cap)
				return ERR_TOO_LONG;
			out[n++] = literal;
			continue;
		}
		bool is_short = get(&r, 1);
		size_t offset = get(&r, is_short ? 7 : 11);
		if (r.dry)
			return ERR_SYNTAX;
		if (is_short && offset == 0)
			break;
		size_t count = get_length(&r, cap - n);
		if (r.dry || offset == 0 || offset > n)
			return ERR_SYNTAX;
		if (count > cap - n)
			return ERR_TOO_LONG;
		copy_match(out + n, offset, count);
		n += count;
	}
	*out_len = n;
	return ERR_OK;
}
