/* ask.h - questions of the login phase to auth (and main) as the HTTP dialogue and the TLS
 * handshake put them.  Used by the worker. */
#ifndef WORKER_ASK_H
#define WORKER_ASK_H

#include "worker/http/http.h"
#include "worker/worker.h"

/* The environment of the dialogue; its ARG is the worker. */
extern const struct http_env ask_env;

/* struct keys_owner.sign; ARG is the worker. */
enum err ask_sign(void *arg, TALLOC_CTX *ctx, const Sign *request, ProtobufCBinaryData *out);

/* Translations between messages and the dialogue's structs, for tests.  Texts of the results are
 * borrowed from the messages, arrays are children of CTX. */
MUST_USE enum err ask_step_answer(TALLOC_CTX *ctx, const StepResult *msg,
				  struct login_answer **out);
MUST_USE enum err ask_grant(TALLOC_CTX *ctx, const struct worker *w, const ToWorker *msg,
			    struct tunnel_grant **out);

#endif /* WORKER_ASK_H */
