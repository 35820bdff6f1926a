/* login.h - the client's side of a session's start: TLS, the login dialogue, CONNECT.
 * Used by vpnload.  protocol.md 3 to 5.3.
 *
 * The server's certificate is not checked: this is for test networks. */
#ifndef BENCH_LOGIN_H
#define BENCH_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { LOGIN_WHY = 256 };

struct login_ask {
	const char *host, *port; /* as getaddrinfo takes them */
	const char *user, *password;
	bool dtls;    /* ask for the UDP channel */
	unsigned mtu; /* wished size of inner packets */
};

/* What the server has granted. */
struct login_grant {
	char address[ADDR_TEXT], address6[ADDR_NET_TEXT]; /* "": none */
	struct strv routes;				  /* networks behind the server */
	unsigned mtu;
	uint8_t app_id[32];
	size_t app_id_len; /* 0: no UDP channel */
	uint16_t udp_port;
};

/* A connection; freeing it closes the socket and forgets the session. */
struct login {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	int fd; /* -1: somebody else's by now */
	struct endpoint server;
	char *cookie;	     /* value of webvpn */
	struct buf in;	     /* received bytes that were not used yet */
	char why[LOGIN_WHY]; /* one line for the user after an error */
};

/* Connects and shakes hands.  *OUT is a child of CTX and set even on errors, for its `why`, unless
 * memory has run out. */
MUST_USE enum err login_new(TALLOC_CTX *ctx, const struct login_ask *ask, struct login **out);

/* The dialogue: user name and password where the server asks for them.  ERR_CREDENTIALS: refused;
 * ERR_PROTO: the server says what this client does not understand. */
MUST_USE enum err login_run(struct login *l, const struct login_ask *ask);

/* CONNECT.  Afterwards the connection carries CSTP frames; the first of them may be in l->in. */
MUST_USE enum err login_open(struct login *l, const struct login_ask *ask, struct login_grant *out);

#endif /* BENCH_LOGIN_H */
