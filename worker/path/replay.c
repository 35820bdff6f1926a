/* replay.c - the replay window of a DTLS epoch.  Used by seal.c. */
#include "worker/path/replay.h"

#include <string.h>

void replay_init(struct replay *r, uint64_t next)
{
	memset(r->seen, 0xff, sizeof r->seen);
	r->next = next;
	/* In the word that is not full yet the numbers to come are free. */
	r->seen[next / 64 % REPLAY_WORDS] = (UINT64_C(1) << next % 64) - 1;
}

bool replay_is_new(const struct replay *r, uint64_t seq)
{
	if (seq >= r->next)
		return true;
	if (r->next - seq > REPLAY_WINDOW)
		return false;
	return !(r->seen[seq / 64 % REPLAY_WORDS] >> seq % 64 & 1);
}

void replay_mark(struct replay *r, uint64_t seq)
{
	if (seq >= r->next) {
		uint64_t word = r->next / 64 + (r->next % 64 != 0), last = seq / 64;
		/* Words that begin only now held numbers of one turn of the ring ago. */
		for (unsigned n = 0; word <= last && n < REPLAY_WORDS; word++, n++)
			r->seen[(last - n) % REPLAY_WORDS] = 0;
		r->next = seq + 1;
	}
	r->seen[seq / 64 % REPLAY_WORDS] |= UINT64_C(1) << seq % 64;
}
