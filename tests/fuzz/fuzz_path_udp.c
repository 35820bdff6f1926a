/* fuzz_path_udp.c - datagrams of a stranger: into a path that waits for DTLS and into one whose
 * DTLS channel works.  None may end the tunnel or move the channel. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/path_rig.h"
#include "worker/path/path_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig *make_rig(void)
{
	struct rig_opt opt;
	rig_opt_init(&opt);
	return rig_new(&opt);
}

static void offer(struct rig *r, const uint8_t *data, size_t size, bool hello)
{
	static uint8_t copy[65536]; /* the path opens records where they lie */
	struct endpoint peer = { .port = 9 };
	(void)!addr_parse("127.0.0.1", &peer.addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	/* The clock runs so fast that every hello begins a handshake of its own. */
	memcpy(copy, data, size);
	path_udp(r->path, fd, &peer, hello, copy, size, r->path->now + 10000);
	if (r->path->end != PATH_END_NONE || r->peers > 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig *waits, *works;
	static struct rig_udp client;
	if (!waits) {
		waits = make_rig();
		works = make_rig();
		if (!rig_udp_connect(works, &client))
			abort();
	}
	if (size < 2 || size > 65536)
		return 0;
	bool hello = data[0] & 1;
	offer(waits, data + 1, size - 1, hello);
	offer(works, data + 1, size - 1, hello);
	if (works->path->udp.pending)
		TALLOC_FREE(works->path->udp.pending);
	if (waits->path->udp.pending)
		TALLOC_FREE(waits->path->udp.pending);
	if (!works->dtls_up)
		abort();
	return 0;
}
