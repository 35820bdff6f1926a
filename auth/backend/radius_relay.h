/* radius_relay.h - between radcli and one RADIUS server: what the packaged radcli cannot do.
 *
 * The library sends its datagrams to a socket of ours on the loopback address; from there they go
 * on over a socket that is connected to the server, so that nobody else's datagrams come back and
 * a port that nobody listens on is noticed at once.  Requests for a login get their
 * Message-Authenticator here, and replies must have a right one.  Used by radius_client.c. */
#ifndef AUTH_BACKEND_RADIUS_RELAY_H
#define AUTH_BACKEND_RADIUS_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct radius_relay;

struct radius_way {
	const char *host;     /* name or address; all of its addresses are one server */
	const char *bindaddr; /* NULL: any */
	const char *secret;
	uint16_t port;
	bool seal;	   /* Access-Requests: send and check the Message-Authenticator */
	bool seal_needed;  /* a reply without one is dropped */
	bool patient;	   /* a closed port is waited for: the server may be starting */
	const char *token; /* Acct-Session-Id; requests without it are not ours and not sent */
};

enum radius_relay_end {
	RADIUS_RELAY_DONE,    /* the library has closed its end of DONE_FD */
	RADIUS_RELAY_REFUSED, /* nobody listens at the server's port */
	RADIUS_RELAY_BROKEN,  /* this machine cannot send */
};

/* Opens both sockets.  *OUT is a child of CTX and borrows WAY's strings; *WHY (static) says what
 * failed.  ERR_NOT_FOUND: the name has no address. */
MUST_USE enum err radius_relay_open(TALLOC_CTX *ctx, const struct radius_way *way,
				    struct radius_relay **out, const char **why);

/* The port on 127.0.0.1 that the library shall send to. */
uint16_t radius_relay_port(const struct radius_relay *r);

/* Carries datagrams both ways until DONE_FD can be read or the way is no use. */
enum radius_relay_end radius_relay_run(struct radius_relay *r, int done_fd);

/* Replies that had a right Message-Authenticator, and those dropped for a wrong or missing one. */
unsigned radius_relay_sealed(const struct radius_relay *r);
unsigned radius_relay_dropped(const struct radius_relay *r);

/* Has the server's machine said that nobody listens? */
bool radius_relay_refused(const struct radius_relay *r);

#endif /* AUTH_BACKEND_RADIUS_RELAY_H */
