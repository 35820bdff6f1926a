/* udp_in.c - UDP input by recvmmsg, with or without UDP_GRO.  Used by the data path. */
#include "worker/path/udp_in.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "worker/path/lazy.h"

enum {
	MESSAGES = 32,	 /* of one recvmmsg: what one wake-up does in this direction */
	MESSAGE = 65536, /* one datagram, or many merged by the kernel */
};

union segment_size {
	struct cmsghdr h;
	uint8_t space[CMSG_SPACE(sizeof(int))];
};

struct udp_in {
	struct lazy *mem;
	struct mmsghdr msg[MESSAGES];
	struct iovec iov[MESSAGES];
	union segment_size control[MESSAGES];
	unsigned n, at;	      /* messages received, the one being handed out */
	size_t off, seg, end; /* inside that message: next datagram, datagram size, its end */
};

enum err udp_in_new(TALLOC_CTX *ctx, struct udp_in **out)
{
	struct udp_in *u = talloc_zero(ctx, struct udp_in);
	if (!u)
		return ERR_NOMEM;
	if (lazy_new(u, (size_t)MESSAGES * MESSAGE, &u->mem)) {
		talloc_free(u);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < MESSAGES; i++) {
		u->iov[i] = (struct iovec){ u->mem->data + i * MESSAGE, MESSAGE };
		u->msg[i].msg_hdr = (struct msghdr){ .msg_iov = &u->iov[i],
						     .msg_iovlen = 1,
						     .msg_control = &u->control[i],
						     .msg_controllen = sizeof u->control[i] };
	}
	*out = u;
	return ERR_OK;
}

void udp_in_socket(int fd)
{
	int one = 1;
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
}

/* Size of the datagrams merged into M; all of M when it is a single one. */
static size_t segment_size(struct mmsghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->msg_hdr); c; c = CMSG_NXTHDR(&m->msg_hdr, c)) {
		int size;
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof size);
		if (size > 0)
			return (size_t)size;
	}
	return m->msg_len;
}

static void open_message(struct udp_in *u)
{
	u->off = 0;
	u->end = u->msg[u->at].msg_len;
	u->seg = segment_size(&u->msg[u->at]);
}

bool udp_in_read(struct udp_in *u, int fd, size_t most)
{
	/* The kernel has overwritten the lengths of those it used last time. */
	for (unsigned i = 0; i < u->n; i++)
		u->msg[i].msg_hdr.msg_controllen = sizeof u->control[i];
	unsigned n = most < MESSAGES ? (unsigned)(most ? most : 1) : MESSAGES;
	int k = recvmmsg(fd, u->msg, n, MSG_DONTWAIT, NULL);
	u->n = k > 0 ? (unsigned)k : 0;
	u->at = 0;
	if (u->n)
		open_message(u);
	return u->n > 0;
}

bool udp_in_next(struct udp_in *u, uint8_t **data, size_t *len)
{
	while (u->at < u->n) {
		if (u->off < u->end) {
			size_t left = u->end - u->off;
			*data = (uint8_t *)u->iov[u->at].iov_base + u->off;
			*len = left < u->seg ? left : u->seg;
			u->off += *len;
			return true;
		}
		if (++u->at < u->n)
			open_message(u);
	}
	return false;
}

void udp_in_trim(struct udp_in *u)
{
	u->at = u->n;
	lazy_trim(u->mem);
}
