/* udp_in.h - datagrams received many at a time and handed out one by one.
 * Used by the data path.  datapath.md 4. */
#ifndef WORKER_PATH_UDP_IN_H
#define WORKER_PATH_UDP_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct udp_in;

/* *OUT is a child of CTX. */
MUST_USE enum err udp_in_new(TALLOC_CTX *ctx, struct udp_in **out);

/* Lets the kernel merge datagrams that arrive on FD (UDP_GRO), if it can. */
void udp_in_socket(int fd);

/* Receives once from FD, at most MOST messages (0 counts as one); what the last call brought must
 * have been taken.  Errors of the socket (ICMP answers) are swallowed: they are neither ours nor
 * authentic.  Returns whether any came. */
bool udp_in_read(struct udp_in *u, int fd, size_t most);

/* The next datagram, borrowed until the next udp_in_read and writable.  False: all are taken. */
bool udp_in_next(struct udp_in *u, uint8_t **data, size_t *len);

/* Gives memory back; what was not taken is lost. */
void udp_in_trim(struct udp_in *u);

#endif /* WORKER_PATH_UDP_IN_H */
