/* hello.h - what a ClientHello says, read before GnuTLS acts on it.  Pure; used by the worker's
 * TLS. */
#ifndef WORKER_HELLO_H
#define WORKER_HELLO_H

#include <stdint.h>

#include <gnutls/gnutls.h>

enum { HELLO_NAME = 256, HELLO_TICKET = 16 };

/* What is offered to be resumed: bits. */
enum { HELLO_TLS12 = 1, HELLO_TLS13 = 2 };

struct hello {
	char name[HELLO_NAME];	      /* of the host; "": none, or none that could be one */
	unsigned offers;	      /* tickets of these versions */
	uint8_t ticket[HELLO_TICKET]; /* what the last of them begins with */
};

/* Reads MSG, the body of a ClientHello.  What cannot be read is left out: GnuTLS refuses it. */
void hello_read(const gnutls_datum_t *msg, struct hello *out);

#endif /* WORKER_HELLO_H */
