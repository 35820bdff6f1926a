/* bucket.c - token buckets.  Used by the data path. */
#include "worker/path/bucket.h"

enum {
	MILLI = 1000,
	HELD_MS = 100,	   /* the time whose bytes a full bucket holds */
	HELD_LEAST = 3000, /* bytes: less than two packets would never be full in time */
};

static int64_t capacity(const struct bucket *b)
{
	uint64_t held = b->rate / MILLI * HELD_MS;

	return (int64_t)(held > HELD_LEAST ? held : HELD_LEAST) * MILLI;
}

void bucket_init(struct bucket *b, uint64_t rate, uint64_t now)
{
	/* More than a machine can carry is no limit, and must not overflow. */
	*b = (struct bucket){ .rate = rate > INT64_MAX / 1000000 ? 0 : rate, .at = now };
	b->level = capacity(b);
}

void bucket_fill(struct bucket *b, uint64_t now)
{
	uint64_t ms = now > b->at ? now - b->at : 0;
	int64_t full = capacity(b);

	if (!b->rate)
		return;
	b->at = now;
	/* So long a pause fills any bucket. */
	if (ms > (uint64_t)(full - b->level) / b->rate)
		b->level = full;
	else
		b->level += (int64_t)(b->rate * ms);
}

bool bucket_is_open(const struct bucket *b)
{
	return !b->rate || b->level > 0;
}

size_t bucket_level(const struct bucket *b)
{
	if (!b->rate)
		return SIZE_MAX;
	return b->level > 0 ? (size_t)(b->level / MILLI) : 0;
}

void bucket_take(struct bucket *b, size_t len)
{
	if (b->rate)
		b->level -= (int64_t)len * MILLI;
}

uint64_t bucket_opens(const struct bucket *b)
{
	if (bucket_is_open(b))
		return UINT64_MAX;
	return b->at + (uint64_t)-b->level / b->rate + 1;
}
