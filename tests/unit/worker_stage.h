/* worker_stage.h - a real sallyport-worker with a stage around it: the test plays supervisor, main,
 * auth and the client.  Used by test_worker_process.c. */
#ifndef TESTS_UNIT_WORKER_STAGE_H
#define TESTS_UNIT_WORKER_STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>
#include <talloc.h>

#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"
#include "ipc/worker.pb-c.h"
#include "ipc/zygote.pb-c.h"

struct stage {
	TALLOC_CTX *ctx;
	pid_t zygote;
	int super_fd, main_fd; /* our ends */
	bool proxy;	       /* workers made from now on wait for a PROXY header */
};

/* One connection.  The fake auth runs in a thread of its own until the worker is gone. */
struct actor {
	struct stage *stage;
	int client, main_fd, auth_fd; /* our ends */
	int tun;		      /* our end of what the worker takes for a TUN device */
	gnutls_session_t tls;
	pthread_t auth;
	bool refuse_tunnel, silent_auth;
	const gnutls_datum_t *alpn; /* offered when set */
	char text[65536];	    /* last answer read */
};

/* Starts the program.  ROWS: pairs of option and value, ended by NULL.  ISOLATE: with the sandbox
 * and this process's own namespaces. */
struct stage *stage_new(const char *const *rows, bool isolate);
void stage_free(struct stage *s);

/* Spawns a worker; *A is filled in. */
void stage_spawn(struct stage *s, struct actor *a);

/* The next message of the worker to main of type MSG_CASE, skipping others; child of CTX, NULL at
 * the end of the channel or after two seconds.  FD, if not NULL, gets its descriptor or -1. */
const ToMain *actor_next(struct actor *a, TALLOC_CTX *ctx, ToMain__MsgCase msg_case, int *fd);
void actor_tell(struct actor *a, const ToWorker *msg);

/* TLS with SNI and PRIORITIES (either may be NULL); returns what gnutls_handshake does. */
int actor_connect(struct actor *a, const char *sni, const char *priorities);

/* Sends TEXT as it is, or a request with BODY; the answer is in a->text. */
void actor_send(struct actor *a, const char *text);
void actor_post(struct actor *a, const char *path, const char *headers, const char *body);

/* Reads until an answer is complete or the connection ends; the number of bytes. */
size_t actor_read(struct actor *a);

/* Leaves the stage; the worker must end with status 0, which a leak or a filter would spoil. */
void actor_free(struct actor *a);

#endif /* TESTS_UNIT_WORKER_STAGE_H */
