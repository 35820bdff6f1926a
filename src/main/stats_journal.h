/* stats_journal.h - the numbers of stats.h survive a crash of main.  Used by main only. */
#ifndef MAIN_STATS_JOURNAL_H
#define MAIN_STATS_JOURNAL_H

#include "main/ctx.h"

/* Writes statistics and the configuration's generation down. */
void stats_save(struct main_ctx *m);

/* Takes the record back.  False: it is not ours. */
bool stats_restore(struct main_ctx *m, const uint8_t key[JOURNAL_KEY], const void *value,
		   size_t len);

#endif /* MAIN_STATS_JOURNAL_H */
