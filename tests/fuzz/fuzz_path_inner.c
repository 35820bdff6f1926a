/* fuzz_path_inner.c - one inner packet: from the client, where it must not lie about its source,
 * and from the TUN, where nothing may go wrong whatever it is. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/path_rig.h"
#include "worker/path/path_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig *make_rig(void)
{
	static struct addr_net behind[2];
	struct rig_opt opt;
	rig_opt_init(&opt);
	(void)!addr_net_parse("fd00:1::/64", &opt.limits.v6);
	(void)!addr_net_parse("172.20.0.0/16", &behind[0]);
	(void)!addr_net_parse("fd00:2::/48", &behind[1]);
	opt.limits.behind = behind;
	opt.limits.behind_n = 2;
	return rig_new(&opt);
}

/* Written out by hand: the check must not agree with itself. */
static int allowed(const uint8_t *p, size_t len)
{
	static const uint8_t v4[4] = { 10, 0, 0, 2 }, net4[2] = { 172, 20 };
	static const uint8_t v6[8] = { 0xfd, 0, 0, 1 }, net6[6] = { 0xfd, 0, 0, 2 };
	if (len >= 20 && p[0] >> 4 == 4)
		return !memcmp(p + 12, v4, 4) || !memcmp(p + 12, net4, 2);
	if (len >= 40 && p[0] >> 4 == 6)
		return !memcmp(p + 8, v6, 8) || !memcmp(p + 8, net6, 6);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig *r;
	uint8_t buf[32768];
	ssize_t k;
	if (!r)
		r = make_rig();
	if (size > 16384)
		return 0;
	r->path->now++;
	inner_from_client(r->path, data, size);
	while ((k = recv(r->tun, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
		if (!allowed(buf, (size_t)k))
			abort();
	}
	if (size == 0)
		return 0;
	if (send(r->tun, data, size, MSG_DONTWAIT) != (ssize_t)size)
		abort();
	inner_to_client(r->path);
	(void)!stream_flush(r->path->stream, true, r->path->now);
	while (recv(r->tcp, buf, sizeof buf, MSG_DONTWAIT) > 0)
		continue;
	if (r->path->end != PATH_END_NONE)
		abort();
	return 0;
}
