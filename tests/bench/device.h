/* device.h - the client's TUN device and its addresses.  Used by vpnload. */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <net/if.h>
#include <stdbool.h>

#include "base/err.h"
#include "tests/bench/login.h"

struct device {
	char name[IFNAMSIZ];
	bool uso; /* the kernel takes and gives segmented UDP, too */
};

/* Makes a device called NAME (%d: a number) with virtio-net headers and all offloads the kernel
 * has.  *FD is non-blocking and the caller's.  ERR_SYS: see errno. */
MUST_USE enum err device_open(const char *name, struct device *out, int *fd);

/* Sets MTU, addresses and routes by running ip(8).  ERR_SYS: it failed and has said why. */
MUST_USE enum err device_configure(const struct device *d, const struct login_grant *grant);

#endif /* BENCH_DEVICE_H */
