/* test_path_gro_kernel.c - random packets through our coalescing and back through the kernel's
 * segmentation are what they were; and we merge nothing that the kernel's own coalescing would
 * keep apart (needs root).  SEED in the environment repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/unit/gro_rig.h"
#include "tests/unit/pkt_stream.h"
#include "tests/unit/tun_rig.h"
#include "worker/path/gro.h"

enum { WAKE_UPS = 400, BURST = 60, WAIT = 1000, TRIES = 20 };

/* One wake-up: what goes in, what is written. */
struct wake_up {
	struct pkt_list in, out;
	struct tun_rig *rig;
	struct gro_rig *kernel;
	unsigned writes, merged; /* of all wake-ups */
	unsigned kernel_writes;
};

static uint64_t seed_of_run(void)
{
	const char *given = getenv("SEED");
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_nsec;
	printf("SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Fills a wake-up and hands it to GRO. */
static void put_burst(struct wake_up *w, struct pkt_stream *s, struct gro *gro)
{
	uint8_t pkt[LIST_ROOM];
	w->in.n = w->out.n = 0;
	for (unsigned n = 1 + stream_roll(s, BURST); n > 0; n--)
		assert_true(list_add(&w->in, pkt, stream_next(s, pkt)));
	for (unsigned i = 0; i < w->in.n; i++)
		gro_put(gro, w->in.pkt[i], w->in.len[i]);
	gro_flush(gro);
}

static enum err to_kernel(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct wake_up *w = arg;
	if (writev(w->rig->vnet, iov, n) < 0)
		fail_msg("the kernel refuses %u packets in %d vectors", packets, n);
	w->writes++;
	w->merged += packets - 1;
	return ERR_OK;
}

static void cutting_gives_the_packets_back(void **state)
{
	struct wake_up *w = calloc(1, sizeof *w);
	struct tun_rig rig;
	struct pkt_stream s;
	struct gro *gro;
	uint8_t pkt[LIST_ROOM];
	(void)state;
	assert_non_null(w);
	assert_int_equal(tun_rig_open(&rig), 0);
	w->rig = &rig;
	assert_int_equal(gro_new(NULL, rig.uso, to_kernel, w, &gro), ERR_OK);
	stream_init(&s, seed_of_run(), NULL, 0);
	for (unsigned i = 0; i < WAKE_UPS; i++) {
		put_burst(w, &s, gro);
		while (w->out.n < w->in.n) {
			size_t len = tun_rig_read(&rig, pkt, sizeof pkt, WAIT);
			if (len == 0 || !list_add(&w->out, pkt, len))
				break;
		}
		if (!list_came_through(&w->in, &w->out))
			fail_msg("wake-up %u", i);
	}
	assert_int_equal(tun_rig_read(&rig, pkt, sizeof pkt, 20), 0); /* nothing was added */
	printf("%u writes, %u saved%s\n", w->writes, w->merged, rig.uso ? "" : ", no UDP");
	assert_true(w->merged > WAKE_UPS);
	talloc_free(gro);
	tun_rig_close(&rig);
	free(w);
}

/* Whether the parts have one identification.  The kernel merges those, too, but cuts them again
 * before any TUN: a virtio-net header cannot say that they are not numbered. */
static bool is_not_numbered(const struct iovec *iov)
{
	const uint8_t *a = (uint8_t *)iov[2].iov_base - iov[1].iov_len;
	const uint8_t *b = (uint8_t *)iov[3].iov_base - iov[1].iov_len;
	return a[0] >> 4 == 4 && memcmp(a + 4, b + 4, 2) == 0;
}

/* Gives the packets of a super-packet to the kernel one by one; it must make one of them, too.  It
 * may let go early when the clock ticks between two of them, so it has several tries. */
static enum err like_kernel(void *arg, struct iovec *iov, int n, unsigned packets)
{
	struct wake_up *w = arg;
	size_t head = iov[1].iov_len;
	w->writes++;
	w->merged += packets - 1;
	if (packets == 1 || is_not_numbered(iov))
		return ERR_OK;
	for (unsigned try = 0; try < TRIES; try++) {
		for (int i = 2; i < n; i++)
			gro_rig_write(w->kernel, (uint8_t *)iov[i].iov_base - head,
				      head + iov[i].iov_len);
		if (gro_rig_read(w->kernel, packets) == 1)
			return ERR_OK;
	}
	for (int i = 2; i < n; i++)
		list_print("the kernel keeps apart", (uint8_t *)iov[i].iov_base - head,
			   head + iov[i].iov_len);
	fail();
	return ERR_OK;
}

static void the_kernel_would_merge_them_too(void **state)
{
	struct wake_up *w = calloc(1, sizeof *w);
	struct gro_rig kernel;
	struct pkt_stream s;
	struct gro *gro;
	(void)state;
	assert_non_null(w);
	assert_int_equal(gro_rig_open(&kernel), 0);
	w->kernel = &kernel;
	assert_int_equal(gro_new(NULL, kernel.udp, like_kernel, w, &gro), ERR_OK);
	stream_init(&s, seed_of_run(), NULL, 0);
	for (unsigned i = 0; i < WAKE_UPS / 4; i++) {
		put_burst(w, &s, gro);
		for (unsigned k = 0; k < w->in.n; k++)
			gro_rig_write(&kernel, w->in.pkt[k], w->in.len[k]);
		w->kernel_writes += gro_rig_read(&kernel, w->in.n);
	}
	printf("%u packets in %u writes; the kernel: %u%s\n", w->writes + w->merged, w->writes,
	       w->kernel_writes, kernel.udp ? "" : ", no UDP");
	talloc_free(gro);
	gro_rig_close(&kernel);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cutting_gives_the_packets_back),
		cmocka_unit_test(the_kernel_would_merge_them_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
