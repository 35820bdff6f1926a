/* fuzz_path_gro.c - packets of a client, well-formed, damaged and raw, through coalescing: cut
 * again by our own segmentation and by the plain reference they are what was put in.  The first
 * byte says what the kernel can, the rest chooses the packets. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "tests/unit/pkt_stream.h"
#include "worker/path/gro.h"
#include "worker/path/gso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct pkt_list in, out;
	uint8_t *given[LIST_MOST]; /* the packets of IN, in memory of just their length */
	bool refuses;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void keep(void *arg, const uint8_t *pkt, size_t len)
{
	struct run *r = arg;
	must(list_add(&r->out, pkt, len));
}

/* Our own segmentation gives the packets of OUT from FROM on. */
static void cut_ourselves(const struct run *r, unsigned from, const struct virtio_net_hdr *hdr,
			  uint8_t *pkt, size_t len)
{
	struct gso gso;
	uint8_t *piece;
	size_t n;
	must(gso_begin(&gso, hdr, pkt, len) == ERR_OK);
	for (; gso_next(&gso, &piece, &n); from++)
		must(from < r->out.n && n == r->out.len[from] &&
		     memcmp(piece, r->out.pkt[from], n) == 0);
	must(from == r->out.n);
}

static enum err on_write(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct run *r = arg;
	struct virtio_net_hdr hdr;
	uint8_t whole[GSO_HEADROOM + 65535], *pkt = whole + GSO_HEADROOM;
	size_t len = 0;
	unsigned before = r->out.n;
	must(n >= 2 && iov[0].iov_len == sizeof hdr);
	memcpy(&hdr, iov[0].iov_base, sizeof hdr);
	must((packets == 1) == (hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE));
	if (r->refuses && packets > 1)
		return ERR_UNSUPPORTED;
	for (int i = 1; i < n; len += iov[i++].iov_len) {
		must(len + iov[i].iov_len <= 65535);
		memcpy(pkt + len, iov[i].iov_base, iov[i].iov_len);
	}
	must(pkt_cut(&hdr, pkt, len, keep, r));
	must(r->out.n == before + packets);
	if (packets > 1)
		cut_ourselves(r, before, &hdr, pkt, len);
	return ERR_OK;
}

/* The next packet: of the stream, perhaps with a byte changed, or bytes as they come. */
static size_t next(struct pkt_stream *s, uint8_t *pkt)
{
	unsigned how = stream_roll(s, 16);
	size_t len = 1;
	if (how == 0) {
		len += stream_roll(s, 128);
		for (size_t i = 0; i < len; i++)
			pkt[i] = (uint8_t)stream_roll(s, 256);
		return len;
	}
	len = stream_next(s, pkt);
	if (how == 1)
		pkt[stream_roll(s, (unsigned)(len < 80 ? len : 80))] = (uint8_t)stream_roll(s, 256);
	else if (how == 2)
		len -= stream_roll(s, (unsigned)len);
	return len;
}

static void put(struct run *r, struct gro *gro, const uint8_t *pkt, size_t len)
{
	unsigned i = r->in.n;
	must(list_add(&r->in, pkt, len));
	r->given[i] = malloc(len);
	memcpy(r->given[i], pkt, len);
	gro_put(gro, r->given[i], len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;
	struct pkt_stream s;
	struct gro *gro;
	uint8_t pkt[LIST_ROOM];
	if (size < 2)
		return 0;
	r.in.n = r.out.n = 0;
	r.refuses = data[0] & 1;
	if (gro_new(NULL, data[0] & 2, on_write, &r, &gro))
		abort();
	stream_init(&s, 0, data + 1, size - 1);
	while (s.left && r.in.n < LIST_MOST) {
		put(&r, gro, pkt, next(&s, pkt));
		if (stream_roll(&s, 64) == 1)
			gro_flush(gro);
	}
	gro_flush(gro);
	must(list_came_through(&r.in, &r.out));
	for (unsigned i = 0; i < r.in.n; i++) {
		must(memcmp(r.given[i], r.in.pkt[i], r.in.len[i]) == 0);
		free(r.given[i]);
	}
	talloc_free(gro);
	return 0;
}
