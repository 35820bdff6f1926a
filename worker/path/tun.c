/* tun.c - the TUN device without offloads: one packet a call.  Used by the data path. */
#include "worker/path/tun.h"

#include <errno.h>
#include <unistd.h>

#include "worker/path/lazy.h"

struct tun {
	int fd;
	struct lazy *buf;
};

static int tun_close(struct tun *t)
{
	close(t->fd);
	return 0;
}

enum err tun_new(TALLOC_CTX *ctx, int fd, struct tun **out)
{
	struct tun *t = talloc_zero(ctx, struct tun);
	if (!t)
		return ERR_NOMEM;
	if (lazy_new(t, TUN_HEADROOM + TUN_PACKET_MAX, &t->buf)) {
		talloc_free(t);
		return ERR_NOMEM;
	}
	t->fd = fd;
	talloc_set_destructor(t, tun_close);
	*out = t;
	return ERR_OK;
}

int tun_fd(const struct tun *t)
{
	return t->fd;
}

enum err tun_read(struct tun *t, uint8_t **pkt, size_t *len)
{
	ssize_t k = read(t->fd, t->buf->data + TUN_HEADROOM, TUN_PACKET_MAX);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return ERR_AGAIN;
	if (k <= 0)
		return ERR_CLOSED;
	*pkt = t->buf->data + TUN_HEADROOM;
	*len = (size_t)k;
	return ERR_OK;
}

enum err tun_write(struct tun *t, const uint8_t *pkt, size_t len)
{
	return write(t->fd, pkt, len) == (ssize_t)len ? ERR_OK : ERR_SYS;
}

void tun_trim(struct tun *t)
{
	lazy_trim(t->buf);
}
