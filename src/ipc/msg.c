/* msg.c - protobuf messages over SOCK_SEQPACKET. */
#include "ipc/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"

void ipc_enlarge(int fd)
{
	int size = 2 * IPC_MSG_MAX;

	/* FORCE needs privilege; the plain option is the best that is left without. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

enum err ipc_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return ERR_SYS;
	ipc_enlarge(fds[0]);
	ipc_enlarge(fds[1]);
	return ERR_OK;
}

union fd_space {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
};

enum err ipc_send_bytes(int fd, const void *data, size_t len, const int *fds, unsigned nfds)
{
	union fd_space control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len }; /* sendmsg only reads it */
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
	}
	while (sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS)
			return ERR_AGAIN;
		return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_SYS;
	}
	return ERR_OK;
}

enum err ipc_send(int fd, const ProtobufCMessage *msg, const int *fds, unsigned nfds)
{
	uint8_t small[4096], *data = small;
	size_t len = protobuf_c_message_get_packed_size(msg);
	enum err err;

	if (len > IPC_MSG_MAX || nfds > IPC_FDS_MAX)
		return ERR_TOO_LONG;
	if (len > sizeof small) {
		data = talloc_size(NULL, len);
		if (!data)
			return ERR_NOMEM;
	}
	protobuf_c_message_pack(msg, data);
	err = ipc_send_bytes(fd, data, len, fds, nfds);
	secret_wipe(data, len); /* tickets and passwords travel here */
	if (data != small)
		talloc_free(data);
	return err;
}

static void take_fds(struct msghdr *mh, struct ipc_fds *fds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fds->n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds->fd, CMSG_DATA(c), sizeof(int) * fds->n);
	}
}

/* Length of the next datagram, so that memory follows the message and not its limit. */
static enum err next_len(int fd, size_t *len)
{
	ssize_t n;
	char c;

	do
		n = recv(fd, &c, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_AGAIN : ERR_CLOSED;
	*len = (size_t)n;
	return n == 0 ? ERR_CLOSED : ERR_OK;
}

enum err ipc_recv(TALLOC_CTX *ctx, int fd, const ProtobufCMessageDescriptor *desc,
		  ProtobufCMessage **out, struct ipc_fds *fds)
{
	union fd_space control;
	struct msghdr mh = { .msg_iovlen = 1, .msg_control = &control };
	struct iovec iov;
	size_t len = 0;
	ssize_t n;
	enum err err = next_len(fd, &len);

	fds->n = 0;
	if (err)
		return err;
	iov = (struct iovec){ talloc_size(ctx, len), len };
	if (!iov.iov_base)
		return ERR_NOMEM;
	mh.msg_iov = &iov;
	mh.msg_controllen = sizeof control;
	n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n > 0)
		take_fds(&mh, fds);
	if (n <= 0 || len > IPC_MSG_MAX)
		err = ERR_PROTO;
	else
		err = ipc_unpack(ctx, desc, iov.iov_base, (size_t)n, out);
	secret_wipe(iov.iov_base, len);
	talloc_free(iov.iov_base);
	if (err)
		ipc_fds_close(fds);
	return err;
}

void ipc_fds_close(struct ipc_fds *fds)
{
	for (unsigned i = 0; i < fds->n; i++)
		if (fds->fd[i] >= 0)
			close(fds->fd[i]);
	fds->n = 0;
}

int ipc_fds_take(struct ipc_fds *fds, unsigned i)
{
	int fd;

	if (i >= fds->n)
		return -1;
	fd = fds->fd[i];
	fds->fd[i] = -1;
	return fd;
}

uint32_t ipc_case(const ProtobufCMessage *msg)
{
	const ProtobufCMessageDescriptor *d = msg->descriptor;
	uint32_t msg_case;

	/* All fields of a top message belong to its one oneof, whose case lies at their
	 * quantifier offset. */
	if (d->n_fields == 0)
		return 0;
	memcpy(&msg_case, (const char *)msg + d->fields[0].quantifier_offset, sizeof msg_case);
	return msg_case;
}

const char *ipc_case_name(const ProtobufCMessageDescriptor *desc, uint32_t msg_case)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(desc, msg_case);

	return f ? f->name : "?";
}

static void *arena_alloc(void *arena, size_t size)
{
	return talloc_size(arena, size);
}

static void arena_free(void *arena, void *chunk)
{
	(void)arena;
	talloc_free(chunk);
}

static int wipe_arena_chunk(void *chunk)
{
	secret_wipe(chunk, talloc_get_size(chunk));
	return 0;
}

/* protobuf-c keeps the allocator only while unpacking; the pieces are talloc siblings below one
 * arena, so freeing the arena frees (and wipes) the message. */
static void *arena_alloc_wiped(void *arena, size_t size)
{
	void *chunk = arena_alloc(arena, size);

	if (chunk)
		talloc_set_destructor(chunk, wipe_arena_chunk);
	return chunk;
}

enum err ipc_unpack(TALLOC_CTX *ctx, const ProtobufCMessageDescriptor *desc, const void *data,
		    size_t len, ProtobufCMessage **out)
{
	TALLOC_CTX *arena = talloc_named_const(ctx, 0, "ipc message");
	ProtobufCAllocator allocator = { arena_alloc_wiped, arena_free, arena };
	ProtobufCMessage *msg;

	if (!arena)
		return ERR_NOMEM;
	msg = protobuf_c_message_unpack(desc, &allocator, len, data);
	if (!msg) {
		talloc_free(arena);
		return ERR_PROTO;
	}
	*out = msg;
	return ERR_OK;
}
