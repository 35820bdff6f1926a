/* bucket.h - a token bucket: how many bytes may pass now.  Pure; used by the data path.
 *
 * Packets pass whole: the bucket may go below zero, and is then closed until time has paid for it.
 * Nothing is dropped here; a closed bucket means that its source is not read (config.md 8.11). */
#ifndef WORKER_PATH_BUCKET_H
#define WORKER_PATH_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bucket {
	uint64_t rate; /* bytes per second; 0: no limit */
	int64_t level; /* thousandths of bytes */
	uint64_t at;   /* clock_ms of that level */
};

/* A bucket of RATE bytes per second that is full at NOW: it holds a tenth of a second. */
void bucket_init(struct bucket *b, uint64_t rate, uint64_t now);

/* Adds what the time until NOW has brought. */
void bucket_fill(struct bucket *b, uint64_t now);

/* Whether anything may pass. */
bool bucket_is_open(const struct bucket *b);

/* Whole bytes that fit without going below zero; SIZE_MAX without a limit. */
size_t bucket_level(const struct bucket *b);

/* LEN bytes have passed. */
void bucket_take(struct bucket *b, size_t len);

/* When a closed bucket opens (clock_ms); UINT64_MAX: it is open. */
uint64_t bucket_opens(const struct bucket *b);

#endif /* WORKER_PATH_BUCKET_H */
