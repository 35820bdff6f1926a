/* batch.c - UDP output in as few system calls as the kernel allows.  Used by the data path. */
#include "worker/path/batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "worker/path/lazy.h"

enum {
	BATCHES = 8,	   /* bound on batches waiting for the socket */
	SEGMENTS = 64,	   /* UDP_SEGMENT: most datagrams of one send, on all kernels */
	BATCH_MAX = 65487, /* and most bytes, with an IPv6 and UDP header around them */
	BATCH_MEM = 65536,
};

/* Up to 64 datagrams lying back to back.  Even: all have the size of the first, only the last may
 * be shorter, as segmentation wants it; without that sizes are free. */
struct batch {
	size_t len;
	unsigned n, sent;
	bool even;
	uint16_t size[SEGMENTS];
	uint8_t *buf; /* BATCH_MEM bytes in the queue's memory */
};

struct batch_queue {
	struct lazy *mem;
	struct batch slot[BATCHES];
	unsigned first, n; /* a ring: slot[first] is the oldest, the n-th may still grow */
	unsigned dropped;
	bool segment, too_big;
};

static struct batch *batch_at(struct batch_queue *q, unsigned i)
{
	return &q->slot[(q->first + i) % BATCHES];
}

enum err batch_new(TALLOC_CTX *ctx, struct batch_queue **out)
{
	struct batch_queue *q = talloc_zero(ctx, struct batch_queue);
	if (!q)
		return ERR_NOMEM;
	if (lazy_new(q, (size_t)BATCHES * BATCH_MEM, &q->mem)) {
		talloc_free(q);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < BATCHES; i++)
		q->slot[i].buf = q->mem->data + i * BATCH_MEM;
	*out = q;
	return ERR_OK;
}

void batch_socket(struct batch_queue *q, int fd, bool may)
{
	int size;
	socklen_t len = sizeof size;
	q->segment = may && getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
}

bool batch_has_room(const struct batch_queue *q)
{
	return q->n <= BATCHES / 2;
}

bool batch_is_empty(const struct batch_queue *q)
{
	return q->n == 0;
}

/* Whether B is even with a datagram of LEN bytes more. */
static bool stays_even(const struct batch *b, size_t len)
{
	return b->n == 0 || (b->even && len <= b->size[0] && b->size[b->n - 1] == b->size[0]);
}

static bool batch_fits(const struct batch_queue *q, const struct batch *b, size_t len)
{
	if (b->n == SEGMENTS || b->sent || b->len + len > BATCH_MAX)
		return false;
	return !q->segment || stays_even(b, len);
}

/* The batch that a datagram of LEN bytes goes to: the last one, or one that counts as soon as there
 * is something in it.  NULL: there is no room. */
static struct batch *batch_for(struct batch_queue *q, size_t len)
{
	struct batch *b = q->n ? batch_at(q, q->n - 1) : NULL;
	if (b && batch_fits(q, b, len))
		return b;
	if (q->n == BATCHES || len == 0 || len > BATCH_MAX)
		return NULL;
	b = batch_at(q, q->n);
	b->len = b->n = b->sent = 0;
	return b;
}

uint8_t *batch_room(struct batch_queue *q, size_t len)
{
	struct batch *b = batch_for(q, len);
	if (!b) {
		q->dropped++;
		return NULL;
	}
	return b->buf + b->len;
}

void batch_commit(struct batch_queue *q, size_t len)
{
	struct batch *b = batch_for(q, len);
	if (b->n == 0)
		q->n++;
	b->even = stays_even(b, len);
	b->size[b->n++] = (uint16_t)len;
	b->len += len;
}

void batch_put(struct batch_queue *q, const void *data, size_t len)
{
	uint8_t *room = batch_room(q, len);
	if (!room)
		return;
	memcpy(room, data, len);
	batch_commit(q, len);
}

/* One sendmsg for the whole batch; the kernel or the device cuts it. */
static ssize_t send_segmented(const struct batch *b, int fd)
{
	union {
		struct cmsghdr h;
		uint8_t space[CMSG_SPACE(sizeof(uint16_t))];
	} c = { 0 };
	struct iovec iov = { b->buf, b->len };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c
	};
	c.h.cmsg_level = IPPROTO_UDP;
	c.h.cmsg_type = UDP_SEGMENT;
	c.h.cmsg_len = CMSG_LEN(sizeof(uint16_t));
	memcpy(CMSG_DATA(&c.h), &b->size[0], sizeof(uint16_t));
	return sendmsg(fd, &m, MSG_DONTWAIT);
}

/* The first datagram not yet sent was refused with ERROR: decide about it.  False: try again. */
static bool give_up(struct batch_queue *q, int error, bool *retried)
{
	/* The answer to an earlier datagram (ICMP) is reported instead of sending this one. */
	if (error == ECONNREFUSED && !*retried) {
		*retried = true;
		return false;
	}
	*retried = false;
	q->too_big |= error == EMSGSIZE;
	q->dropped++;
	return true;
}

static enum err send_singly(struct batch_queue *q, struct batch *b, int fd)
{
	struct mmsghdr mm[SEGMENTS];
	struct iovec iov[SEGMENTS];
	uint8_t *p = b->buf;
	bool retried = false;
	for (unsigned i = 0; i < b->n; p += b->size[i++]) {
		iov[i] = (struct iovec){ p, b->size[i] };
		mm[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	while (b->sent < b->n) {
		int k = sendmmsg(fd, mm + b->sent, b->n - b->sent, MSG_DONTWAIT);
		if (k < 0 && errno == EAGAIN)
			return ERR_AGAIN;
		if (k > 0)
			b->sent += (unsigned)k;
		else if (give_up(q, errno, &retried))
			b->sent++;
	}
	return ERR_OK;
}

static enum err batch_send(struct batch_queue *q, struct batch *b, int fd)
{
	/* What was collected for another socket need not be even. */
	if (!q->segment || !b->even || b->n == 1 || b->sent)
		return send_singly(q, b, fd);
	if (send_segmented(b, fd) >= 0)
		return ERR_OK;
	int error = errno;
	if (error == EAGAIN)
		return ERR_AGAIN;
	/* ENOBUFS: the device's queue is full, all of it would be lost again. */
	if (error == ENOBUFS) {
		q->dropped += b->n;
		return ERR_OK;
	}
	bool before = q->too_big;
	q->too_big = false;
	enum err err = send_singly(q, b, fd);
	/* EIO, EINVAL: the device cannot checksum or segment.  But segments beyond the path MTU
	 * are refused in the same way on some kernels: then the single ones were too big also. */
	if ((error == EIO || error == EINVAL) && b->sent && !q->too_big)
		q->segment = false;
	q->too_big |= before;
	return err;
}

enum err batch_flush(struct batch_queue *q, int fd, bool all)
{
	while (q->n && (all || q->n > 1)) {
		enum err err = batch_send(q, batch_at(q, 0), fd);
		if (err)
			return err;
		q->first = (q->first + 1) % BATCHES;
		q->n--;
	}
	/* A small burst always reuses the same, warm memory. */
	if (q->n == 0)
		q->first = 0;
	return ERR_OK;
}

void batch_reset(struct batch_queue *q)
{
	q->n = q->first = 0;
}

unsigned batch_take_dropped(struct batch_queue *q)
{
	unsigned n = q->dropped;
	q->dropped = 0;
	return n;
}

bool batch_take_too_big(struct batch_queue *q)
{
	bool was = q->too_big;
	q->too_big = false;
	return was;
}

void batch_trim(struct batch_queue *q)
{
	if (q->n == 0)
		lazy_trim(q->mem);
}
