/* tun.c - the TUN device.  Used by the data path. */
#include "worker/path/tun.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "worker/path/gso.h"
#include "worker/path/lazy.h"
#include "wire/vnet.h"

enum { HEADER = sizeof(struct virtio_net_hdr) };

struct tun {
	int fd;
	bool headers, cutting;
	unsigned dropped;
	struct gso gso;	  /* of the large packet being cut */
	struct lazy *buf; /* the packet lies behind the headroom, its header at the end of that */
};

static int tun_close(struct tun *t)
{
	close(t->fd);
	return 0;
}

enum err tun_new(TALLOC_CTX *ctx, int fd, bool headers, struct tun **out)
{
	struct tun *t = talloc_zero(ctx, struct tun);
	if (!t)
		return ERR_NOMEM;
	if (lazy_new(t, TUN_HEADROOM + TUN_PACKET_MAX, &t->buf)) {
		talloc_free(t);
		return ERR_NOMEM;
	}
	t->fd = fd;
	t->headers = headers;
	talloc_set_destructor(t, tun_close);
	*out = t;
	return ERR_OK;
}

int tun_fd(const struct tun *t)
{
	return t->fd;
}

bool tun_has_headers(const struct tun *t)
{
	return t->headers;
}

/* One read of the device, whose packet begins at the same place with and without a header. */
static enum err read_device(struct tun *t, uint8_t **pkt, size_t *len)
{
	size_t head = t->headers ? HEADER : 0;
	uint8_t *at = t->buf->data + TUN_HEADROOM;
	ssize_t k = read(t->fd, at - head, TUN_PACKET_MAX + head);
	/* EINVAL: its header cannot describe this packet, and there may be others behind it. */
	if (k < 0 && errno == EINVAL)
		t->dropped++;
	if (k < 0 && (errno == EAGAIN || errno == EINTR || errno == EINVAL))
		return ERR_AGAIN;
	if (k < (ssize_t)head + 1)
		return ERR_CLOSED;
	*pkt = at;
	*len = (size_t)k - head;
	return ERR_OK;
}

enum err tun_read(struct tun *t, uint8_t **pkt, size_t *len)
{
	for (;;) {
		struct virtio_net_hdr h;
		if (t->cutting && gso_next(&t->gso, pkt, len))
			return ERR_OK;
		t->cutting = false;
		enum err err = read_device(t, pkt, len);
		if (err || !t->headers)
			return err;
		memcpy(&h, *pkt - HEADER, sizeof h);
		t->cutting = gso_begin(&t->gso, &h, *pkt, *len) == ERR_OK;
		t->dropped += !t->cutting;
	}
}

bool tun_holds(const struct tun *t)
{
	return t->cutting;
}

unsigned tun_take_dropped(struct tun *t)
{
	unsigned n = t->dropped;
	t->dropped = 0;
	return n;
}

enum err tun_write(struct tun *t, const struct iovec *iov, int n)
{
	if (writev(t->fd, iov, n) >= 0)
		return ERR_OK;
	return errno == EINVAL ? ERR_UNSUPPORTED : ERR_SYS;
}

void tun_trim(struct tun *t)
{
	if (!t->cutting)
		lazy_trim(t->buf);
}
