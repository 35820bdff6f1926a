/* worker.h - one process per connection: all it knows.  There is no state outside of struct worker.
 * Used by the worker's parts and by the zygote, which gives it birth. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/addr.h"
#include "base/log.h"
#include "ipc/auth.pb-c.h"
#include "ipc/chan.h"
#include "ipc/main.pb-c.h"
#include "ipc/worker.pb-c.h"
#include "worker/cert_id.h"
#include "worker/hello.h"
#include "worker/http/http.h"
#include "worker/image.h"

struct tunnel;

/* What a worker is born with; the descriptors are its own. */
struct birth {
	uint64_t id;
	int client, main_fd, auth_fd;
	struct endpoint remote, local;
	bool proxy; /* a PROXY header comes first */
};

/* Who sends a message, for the route tables; the supervisor speaks to the zygote only. */
enum worker_sender { FROM_MAIN = 1, FROM_AUTH = 2, FROM_SUPER = 4 };

/*	state		until				answers that may come
 *	WORKER_LOGIN	CONNECT with a ticket		signed, step, relayed, ticket_key
 *	WORKER_OPENING	the tunnel is granted, refused	signed, tunnel, refuse, open_refused
 *	WORKER_TUNNEL	the end				none
 * Bits, because a route allows several. */
enum worker_state { WORKER_LOGIN = 1, WORKER_OPENING = 2, WORKER_TUNNEL = 4 };

/* Why and how it shall end; the first reason counts (protocol.md 5.8). */
struct ending {
	bool set;
	EndReason reason;
	bool tell_client;
};

/* The question that waits for its answer. */
struct call {
	const ToAuth *request; /* NULL: none */
	TALLOC_CTX *ctx;       /* becomes the parent of the answer */
	const ToWorker *answer;
};

/* Strings main wants to show; children of the worker or NULL. */
struct worker_facts {
	char user_agent[CLIENT_TEXT];
	const char *tls_cipher;
	const char *dtls_cipher;		   /* NULL: no DTLS now */
	const char *cstp_encoding, *dtls_encoding; /* compression, static; NULL: none */
	struct endpoint udp_remote;
	uint32_t mtu, dpd, keepalive;
};

/* The certificate that the client showed in the handshake. */
struct worker_cert {
	bool shown, good;   /* good: it verified */
	struct cert_id *id; /* child of the worker; NULL: it is not good, or names nobody */
};

/* Session tickets, see resume.c. */
struct worker_resume {
	bool possible;	/* the host of that hello allows it */
	bool enabled;	/* GnuTLS has a key */
	bool real;	/* which is of auth */
	bool asked;	/* for a ticket that is offered */
	bool resumed;	/* the handshake was short */
	uint32_t chain; /* number of the certificate chain that the key stands for */
};

struct worker {
	struct image *image; /* ours after the fork, read all but its keys' owner */
	uint64_t id;
	enum worker_state state;
	struct endpoint remote, local; /* of the client's TCP connection, or as PROXY said */
	bool proxy;		       /* a PROXY header comes first */
	bool proxy_read;	       /* it was read, and main was told */
	bool admitted;		       /* main lets the client in */
	bool heard;		       /* a byte came through TLS: it is no probe */
	bool abuse;		       /* the client spoke neither TLS nor HTTP as it must */
	int client, main_fd, auth_fd;  /* the last two belong to the channels in the tunnel */
	int term_fd;		       /* readable after SIGTERM; -1: not looked for */
	uint64_t deadline;	       /* clock_ms: end of the login phase */
	struct ending ending;
	struct call call;

	gnutls_session_t tls; /* until the path has it */
	const struct vhost *vhost;
	struct http_peer peer;
	struct worker_cert cert;
	struct hello hello; /* the newest */
	struct worker_resume resume;
	struct worker_facts facts;

	/* From CONNECT on. */
	struct chan *main_chan, *auth_chan; /* NULL in the login phase */
	const Tunnel *granted;		    /* main's message, kept for describe */
	int tun;			    /* until the path has it; -1 none */
	char sid_short[8];
	struct tunnel *tunnel;

	struct log_ctx log;
	struct log_sink sink;
	unsigned log_lost; /* lines main did not take */
};

/* Lives the whole life of one connection.  Does not return when workers are isolated; else the
 * status for exit, after everything was freed. */
int worker_run(struct image *image, const struct birth *birth);

/* Remembers the first reason to end. */
void worker_end(struct worker *w, EndReason reason, bool tell_client);

#endif /* WORKER_WORKER_H */
