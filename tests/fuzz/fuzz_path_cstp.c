/* fuzz_path_cstp.c - decrypted bytes of a hostile client, through the frame handler of a real path
 * to its TUN and its answers.  The first byte cuts the input into records of that size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/unit/path_rig.h"
#include "worker/path/path_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Throws away what came out at the other ends; nothing but the client's packets may reach the TUN.
 */
static void drain(struct rig *r)
{
	uint8_t buf[32768];
	ssize_t k;
	while ((k = recv(r->tun, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
		if (buf[0] >> 4 != 4 || k < 20 || buf[12] != 10 || buf[15] != 2)
			abort();
	}
	(void)!stream_flush(r->path->stream, true, r->path->now);
	while (recv(r->tcp, buf, sizeof buf, MSG_DONTWAIT) > 0)
		continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig *r;
	if (!r) {
		struct rig_opt opt;
		rig_opt_init(&opt);
		opt.limits.tcp_encoding = CSTP_ENC_LZS;
		r = rig_new(&opt);
	}
	if (size < 2)
		return 0;
	size_t cut = data[0] ? data[0] : 65536;
	data++;
	size--;
	while (size && r->path->end == PATH_END_NONE) {
		size_t n = size < cut ? size : cut;
		tcp_chan_take(r->path, data, n);
		data += n;
		size -= n;
		drain(r);
	}
	/* The next input meets a new tunnel. */
	r->path->end = PATH_END_NONE;
	TALLOC_FREE(r->path->frames);
	r->path->frames = cstp_stream_new(r->path);
	return 0;
}
