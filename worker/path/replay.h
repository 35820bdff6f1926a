/* replay.h - which record numbers of a DTLS epoch have been seen.  Pure; used by seal.c.
 * RFC 6347 4.1.2.6; the ring of words is that of RFC 6479. */
#ifndef WORKER_PATH_REPLAY_H
#define WORKER_PATH_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	REPLAY_WORDS = 16,
	/* Numbers that may come late.  Several queues of a network card mix up whole batches, hence
	 * more than the 64 of the RFC.  The newest word is still being filled. */
	REPLAY_WINDOW = (REPLAY_WORDS - 1) * 64,
};

struct replay {
	uint64_t next; /* one more than the largest number seen */
	uint64_t seen[REPLAY_WORDS];
};

/* All numbers below NEXT count as seen. */
void replay_init(struct replay *r, uint64_t next);

/* Whether SEQ was not seen yet and is not too old.  Changes nothing: whoever forges a record must
 * not move the window. */
bool replay_is_new(const struct replay *r, uint64_t seq);

/* SEQ, which is new, was authentic. */
void replay_mark(struct replay *r, uint64_t seq);

#endif /* WORKER_PATH_REPLAY_H */
