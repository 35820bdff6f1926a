/* gro_rig.h - the kernel's own coalescing as a reference: packets written to a TUN with NAPI,
 * merged by GRO, routed to a TUN that takes super-packets.  Needs root. */
#ifndef TESTS_UNIT_GRO_RIG_H
#define TESTS_UNIT_GRO_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gro_rig {
	int in, out;
	bool udp; /* the kernel merges UDP, too */
};

/* Enters a new network namespace with the addresses of tun_rig.h.  -1: printed why. */
int gro_rig_open(struct gro_rig *rig);
void gro_rig_close(struct gro_rig *rig);

void gro_rig_write(const struct gro_rig *rig, const uint8_t *pkt, size_t len);

/* Waits until the PACKETS written have come out, for at most a second.  Returns how many
 * super-packets and single ones they have become. */
unsigned gro_rig_read(const struct gro_rig *rig, unsigned packets);

#endif /* TESTS_UNIT_GRO_RIG_H */
