/* tun_rig.h - two TUN devices in a network namespace of this process's own, between which the
 * kernel routes: a super-packet written to the one comes out of the other cut and with its
 * checksums made.  Used by the tests of worker/path that compare us with the kernel; needs root. */
#ifndef TESTS_UNIT_TUN_RIG_H
#define TESTS_UNIT_TUN_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/vnet.h"

struct tun_rig {
	int vnet;  /* takes a virtio-net header of 10 bytes and a packet; not blocking */
	int plain; /* gives packets, without a header; not blocking */
	bool uso;  /* the kernel knows super-packets of UDP */
};

/* Packets are routed from behind VNET to behind PLAIN: between these addresses, and all others that
 * differ in the last byte and are not .1. */
extern const uint8_t TUN_RIG_SRC4[4], TUN_RIG_DST4[4];
extern const uint8_t TUN_RIG_SRC6[16], TUN_RIG_DST6[16];

/* Enters a new network namespace and makes the devices; they take 64 KiB.  -1: printed why. */
int tun_rig_open(struct tun_rig *rig);
void tun_rig_close(struct tun_rig *rig);

/* The next packet between the two networks that comes out of PLAIN within MS, with the hop that
 * routing took given back.  Its length; 0: none came. */
size_t tun_rig_read(const struct tun_rig *rig, uint8_t *pkt, size_t size, int ms);

/* The parts of tun_rig_open.  Enters a new network namespace.  -1: printed why. */
int tun_rig_enter(void);

/* Opens the TUN NAME with the FLAGS of TUNSETIFF and gives it the networks of the addresses.
 * -1: printed why. */
int tun_rig_device(const char *name, int flags, const uint8_t v4[4], const uint8_t v6[16]);

#endif /* TESTS_UNIT_TUN_RIG_H */
