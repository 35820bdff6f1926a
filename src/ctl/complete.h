/* complete.h - what TAB offers in occtl's interactive mode. */
#ifndef CTL_COMPLETE_H
#define CTL_COMPLETE_H

#include <talloc.h>

#include "base/err.h"
#include "base/str.h"
#include "ctl/cmd.h"

/* What may stand at the end of LINE in place of its last, unfinished word: command words, or
 * names, ids, addresses and session ids that the server knows now, in NEXT->words. */
MUST_USE enum err complete_line(TALLOC_CTX *ctx, const struct ctl *ctl, const char *line,
				struct cmd_next *next);

/* How many bytes all of WORDS have in common. */
size_t complete_common(const struct strv *words);

#endif /* CTL_COMPLETE_H */
