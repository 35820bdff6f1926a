/* tokens.h - keys that auth cannot hold: on PKCS#11 tokens and in TPMs.
 *
 * Their modules are other people's code, which may wait for hardware for ever.  So they run in a
 * process of their own (sallyport-token, started when the first such key is loaded), and auth asks
 * it as workers ask auth.  One that does not answer in time is killed, what was asked fails, and
 * the next signature starts another one.  Used by auth/keys.c. */
#ifndef AUTH_TOKENS_H
#define AUTH_TOKENS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "auth/privkey.h"
#include "base/err.h"
#include "ipc/token.pb-c.h"

/* The tokens of one configuration; there is no process before they are needed. */
struct tokens;
struct token_job;

/* *OUT is a child of CTX; freeing it ends the process, and no job is reported any more. */
MUST_USE enum err tokens_new(TALLOC_CTX *ctx, struct tokens **out);

/* Loads CERT and KEY (NULL: that one is not wanted) with PINS; all are copied.  Waits, for ten
 * seconds at most.  *ANSWER, a child of CTX, has the faults, too; *NUMBER is for tokens_sign.
 * ERR_TIMEOUT, which is then true of the whole of T; ERR_CLOSED: the module crashed; ERR_DENIED: a
 * PIN was refused before, and another attempt could lock the token. */
MUST_USE enum err tokens_open(TALLOC_CTX *ctx, struct tokens *t, const char *cert, const char *key,
			      const struct privkey_pins *pins, const TokenOpened **answer,
			      uint32_t *number);

/* Called once for a job that was not freed before; DATA is borrowed.
 * ERR_TIMEOUT, ERR_CLOSED, ERR_TLS: the token refused. */
typedef void token_done_fn(void *arg, enum err err, const uint8_t *data, size_t len);

/* Has key NUMBER do what MSG asks.  *OUT is a child of OWNER; freeing it cancels the job.
 * Needs the default loop of libev.  ERR_EXHAUSTED: too many wait; ERR_CLOSED: the process ended
 * just now; ERR_DENIED: the PIN is refused since. */
MUST_USE enum err tokens_sign(TALLOC_CTX *owner, struct tokens *t, uint32_t number, const Sign *msg,
			      token_done_fn *done, void *arg, struct token_job **out);

/* The other side: answers on the descriptor CHANNEL until it closes.  Returns the exit status of
 * the process. */
int token_work(int channel);

#endif /* AUTH_TOKENS_H */
