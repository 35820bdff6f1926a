/* stream.h - the TCP side of the TLS session: records are written into one buffer that goes out
 * with one send per wake-up, and read from memory that one large recv has filled.
 * Used by the data path.  datapath.md 6. */
#ifndef WORKER_PATH_STREAM_H
#define WORKER_PATH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

enum {
	STREAM_IN = 256 * 1024,	     /* bytes of one recv */
	STREAM_OUT = 512 * 1024,     /* most bytes that wait; more is an error of the caller */
	STREAM_STOP = 128 * 1024,    /* no more packets are read from the TUN above this */
	STREAM_CONTROL = 256 * 1024, /* no more answers to the client are queued above this */
};

struct stream;

/* Takes FD and replaces the transport functions of TLS, which must outlive the stream.
 * *OUT is a child of CTX and closes FD when freed. */
MUST_USE enum err stream_new(TALLOC_CTX *ctx, gnutls_session_t tls, int fd, struct stream **out);

int stream_fd(const struct stream *s);

/* Receives once, at most MOST and STREAM_IN bytes, unless bytes still wait for GnuTLS.
 * ERR_AGAIN: nothing there.  ERR_CLOSED: the peer is gone; what arrived before is still served. */
MUST_USE enum err stream_fill(struct stream *s, size_t most);

/* From now on GnuTLS reads only what stream_show shows it, so that records can be opened where they
 * were received.  For a stream whose first bytes have not come yet.  False: GnuTLS has read the
 * beginning of a record before it was ours, and must go on to read them all. */
bool stream_hold(struct stream *s);

/* The end of that: GnuTLS reads everything. */
void stream_release(struct stream *s);

/* The bytes received that nobody has read, borrowed and writable until the next stream_fill. */
size_t stream_peek(const struct stream *s, uint8_t **data);

/* LEN of them, at least those that were shown, are done with; or GnuTLS may read LEN of them. */
void stream_skip(struct stream *s, size_t len);
void stream_show(struct stream *s, size_t len);

/* Room for LEN bytes at the end of what waits, for stream_commit with what was written; NULL: there
 * is none. */
uint8_t *stream_room(struct stream *s, size_t len);
void stream_commit(struct stream *s, size_t len);

/* Sends what waits, as far as the socket takes it.  WRITABLE: the socket was reported so; without
 * that a socket found full is not tried again.  ERR_CLOSED: the peer is gone. */
MUST_USE enum err stream_flush(struct stream *s, bool writable, uint64_t now);

/* Whether received bytes wait for GnuTLS. */
bool stream_has_input(const struct stream *s);

/* Bytes that wait for the socket. */
size_t stream_waiting(const struct stream *s);

/* Since when (clock_ms) the socket has taken nothing although bytes wait; UINT64_MAX: it has not
 * been so. */
uint64_t stream_blocked_since(const struct stream *s);

/* Gives the memory of empty buffers back. */
void stream_trim(struct stream *s);

#endif /* WORKER_PATH_STREAM_H */
