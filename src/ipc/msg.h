/* msg.h - packing protobuf messages into SOCK_SEQPACKET datagrams, with descriptors.
 * One top message with a oneof per receiver; the oneof's case is the message type and its name
 * comes from the descriptor, so nothing here knows any particular message.  All processes. */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include <stdint.h>
#include <talloc.h>

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"

enum {
	IPC_FDS_MAX = 4,	  /* descriptors one message may carry */
	IPC_MSG_MAX = 768 * 1024, /* bytes of one message */
};

/* Received descriptors.  A handler that keeps one sets its slot to -1 (takes it); the dispatcher
 * closes the rest. */
struct ipc_fds {
	int fd[IPC_FDS_MAX];
	unsigned n;
};

/* A socketpair for a channel: SEQPACKET, CLOEXEC, non-blocking, large buffers. */
MUST_USE enum err ipc_pair(int fds[2]);

/* Gives a socket that was made elsewhere room for the longest message, as far as we may. */
void ipc_enlarge(int fd);

/* Sends one message without blocking; the FDS are borrowed.  ERR_AGAIN: the socket is full.
 * ERR_CLOSED: the peer is gone.  ERR_TOO_LONG. */
MUST_USE enum err ipc_send(int fd, const ProtobufCMessage *msg, const int *fds, unsigned nfds);

/* The same for bytes that were packed before; DATA is only read. */
MUST_USE enum err ipc_send_bytes(int fd, const void *data, size_t len, const int *fds,
				 unsigned nfds);

/* Receives one message of type DESC without blocking.  *OUT is a talloc child of CTX (every
 * pointer in it is).  ERR_AGAIN: nothing there.  ERR_CLOSED: end of channel.  ERR_PROTO: not such
 * a message (it is dropped, with its descriptors). */
MUST_USE enum err ipc_recv(TALLOC_CTX *ctx, int fd, const ProtobufCMessageDescriptor *desc,
			   ProtobufCMessage **out, struct ipc_fds *fds);

/* Closes the descriptors that no handler took. */
void ipc_fds_close(struct ipc_fds *fds);

/* Takes descriptor I: returns it and forgets it; -1 when there is none. */
int ipc_fds_take(struct ipc_fds *fds, unsigned i);

/* The case (field number) of the message's oneof, 0 if none is set, and its name ("?" if unknown).
 */
uint32_t ipc_case(const ProtobufCMessage *msg);
const char *ipc_case_name(const ProtobufCMessageDescriptor *desc, uint32_t msg_case);

/* Unpacks LEN bytes into a tree that is a child of CTX; ERR_PROTO. */
MUST_USE enum err ipc_unpack(TALLOC_CTX *ctx, const ProtobufCMessageDescriptor *desc,
			     const void *data, size_t len, ProtobufCMessage **out);

#endif /* IPC_MSG_H */
