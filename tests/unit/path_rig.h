/* path_rig.h - a data path and its client in one process: a GnuTLS peer on loopback sockets, a
 * socket pair for the TUN.  Used by the tests of worker/path. */
#ifndef TESTS_UNIT_PATH_RIG_H
#define TESTS_UNIT_PATH_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "worker/path/path.h"

/* What a test may choose before the tunnel starts. */
struct rig_opt {
	const char *tls; /* client's TLS priorities */
	enum dtls_mode mode;
	struct dtls_choice legacy; /* of mode LEGACY */
	struct path_limits limits;
	bool client_cert; /* the client shows one; the server asks for it */
	unsigned record;  /* the client takes records of so much at most; 0 of any size */
};

struct rig {
	struct path *path;
	enum path_end end;
	uint64_t skew; /* added to the clock: tests jump ahead in time */
	unsigned steps;
	int tun, tcp;	      /* the test's ends */
	gnutls_session_t tls; /* the client's */
	gnutls_certificate_credentials_t client_cred, server_cred;
	bool tcp_closed;

	uint8_t id[32], master[48];
	struct rig_opt opt;
	int listener; /* what main does: catches first datagrams */
	struct endpoint server;

	unsigned mtu, mtu_calls, rekeys, peers, counter_calls;
	bool dtls_up;
	unsigned dtls_calls;
	char cipher[128];
};

/* A DTLS client on a socket of its own. */
struct rig_udp {
	struct rig *rig;
	int fd;
	gnutls_session_t s;
	gnutls_psk_client_credentials_t psk;
	gnutls_certificate_credentials_t cert;
	gnutls_datum_t key;
	bool lose_input;    /* a network that drops everything towards the client */
	uint8_t last[2048]; /* the last datagram sent, and the first (a hello) */
	size_t last_len;
	uint8_t hello[2048];
	size_t hello_len;
};

enum { RIG_PACKET = 2048 };

void rig_opt_init(struct rig_opt *opt);

/* What rig_opt_init sets limits.off to from now on: whole suites run with and without sealing. */
void rig_default_off(unsigned off);
struct rig *rig_new(const struct rig_opt *opt);
void rig_free(struct rig *r);

/* From now on the client has another certificate, or none. */
void rig_switch_cert(struct rig *r, bool show);

/* Steps the path, and does main's part for UDP, until nothing happens any more. */
void rig_run(struct rig *r);

/* As rig_run, after jumping ahead. */
void rig_later(struct rig *r, uint64_t ms);

/* One frame from the client as one record; several bytes as they are. */
void rig_send(struct rig *r, uint8_t type, const void *payload, size_t len);
void rig_send_raw(struct rig *r, const void *data, size_t len);

/* The next frame the client gets; its payload's length, or -1: none came.  It checks that a record
 * is exactly one frame. */
int rig_recv(struct rig *r, uint8_t *type, uint8_t *payload, size_t cap);

/* A packet on the TUN: given to the path, taken from it (length or -1). */
void rig_tun_put(struct rig *r, const void *pkt, size_t len);
int rig_tun_get(struct rig *r, void *pkt, size_t cap);

/* Writes an IPv4 packet of LEN bytes with a counter in it; PROTO e.g. IPPROTO_UDP. */
void rig_packet(uint8_t *pkt, size_t len, const char *src, const char *dst, uint8_t proto,
		uint32_t mark);

/* DTLS client with its own socket; connects.  False: the handshake failed. */
void rig_udp_init(struct rig *r, struct rig_udp *u);
bool rig_udp_handshake(struct rig_udp *u);
bool rig_udp_connect(struct rig *r, struct rig_udp *u);
void rig_udp_deinit(struct rig_udp *u);
/* The same session from another port. */
void rig_udp_rebind(struct rig_udp *u);
void rig_udp_send(struct rig_udp *u, const void *frame, size_t len);
/* Next plaintext, or -1. */
int rig_udp_recv(struct rig_udp *u, uint8_t *frame, size_t cap);

#endif /* TESTS_UNIT_PATH_RIG_H */
