/* gro_rig.c - a TUN whose packets wait in the kernel's GRO until none has come for a while. */
#include "tests/unit/gro_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tests/unit/tun_rig.h"
#include "wire/vnet.h"

enum { FEATURES = 128, WAIT = 1000, PROBES = 300 };

static int failed(const char *what)
{
	fprintf(stderr, "gro_rig: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Packets wait for their like until a millisecond has passed without one.  sysfs shows the
 * devices of the namespace in which it was mounted. */
static int set_timeout(void)
{
	static const char name[] = "/sys/class/net/napi/gro_flush_timeout";
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		return failed("sysfs");
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(name);
	ssize_t n = write(fd, "1000000", 7);
	close(fd);
	return n == 7 ? 0 : failed(name);
}

static bool ethtool(int s, void *cmd)
{
	struct ifreq ifr = { .ifr_name = "napi", .ifr_data = cmd };
	return ioctl(s, SIOCETHTOOL, &ifr) == 0;
}

/* What is forwarded is UDP that the kernel merges only when asked to. */
static bool merge_udp(void)
{
	static const char wanted[] = "rx-udp-gro-forwarding";
	struct ethtool_gstrings *names = calloc(1, sizeof *names + FEATURES * ETH_GSTRING_LEN);
	struct ethtool_sfeatures *set =
		calloc(1, sizeof *set + FEATURES / 32 * sizeof *set->features);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = false;
	if (names && set) {
		names->cmd = ETHTOOL_GSTRINGS;
		names->string_set = ETH_SS_FEATURES;
		set->cmd = ETHTOOL_SFEATURES;
		done = ethtool(s, names) && names->len <= FEATURES;
	}
	for (unsigned i = 0; done && i < names->len; i++) {
		if (strcmp((const char *)names->data + i * ETH_GSTRING_LEN, wanted) == 0)
			set->features[i / 32].valid = set->features[i / 32].requested = 1U
											<< i % 32;
		set->size = i / 32 + 1;
	}
	done = done && ethtool(s, set);
	free(names);
	free(set);
	close(s);
	return done;
}

/* The kernel has things to say on a new device, too. */
static bool is_ours(const uint8_t *pkt, size_t len)
{
	if (len >= 40 && pkt[0] >> 4 == 6)
		return memcmp(pkt + 8, TUN_RIG_SRC6, 16) == 0;
	return len >= 20 && memcmp(pkt + 12, TUN_RIG_SRC4, 4) == 0;
}

/* The kernel puts routes of IPv6 in place a moment after the addresses. */
static int wait_for_routes(const struct gro_rig *rig)
{
	uint8_t probe[40] = { 0x60, [6] = 59, 9 }, got[2048];
	struct pollfd p = { rig->out, POLLIN, 0 };
	memcpy(probe + 8, TUN_RIG_SRC6, 16);
	memcpy(probe + 24, TUN_RIG_DST6, 16);
	for (int i = 0; i < PROBES; i++) {
		gro_rig_write(rig, probe, sizeof probe);
		if (poll(&p, 1, 20) > 0 && read(rig->out, got, sizeof got) == 10 + 40 &&
		    is_ours(got + 10, 40))
			return 0;
	}
	return failed("packets are not routed");
}

int gro_rig_open(struct gro_rig *rig)
{
	unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (tun_rig_enter())
		return -1;
	rig->in = tun_rig_device("napi", IFF_NAPI, TUN_RIG_SRC4, TUN_RIG_SRC6);
	rig->out = tun_rig_device("super", IFF_VNET_HDR, TUN_RIG_DST4, TUN_RIG_DST6);
	if (rig->in < 0 || rig->out < 0 || set_timeout())
		return -1;
	rig->udp = merge_udp() &&
		   ioctl(rig->out, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) == 0;
	if (!rig->udp && ioctl(rig->out, TUNSETOFFLOAD, offloads))
		return failed("TUNSETOFFLOAD");
	return wait_for_routes(rig);
}

void gro_rig_close(struct gro_rig *rig)
{
	close(rig->in);
	close(rig->out);
}

void gro_rig_write(const struct gro_rig *rig, const uint8_t *pkt, size_t len)
{
	if (write(rig->in, pkt, len) != (ssize_t)len)
		failed("write");
}

/* Packets in a super-packet. */
static unsigned count(const struct virtio_net_hdr *hdr, const uint8_t *pkt, size_t len)
{
	size_t head = pkt[0] >> 4 == 6 ? 40 : 20;
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return 1;
	head += hdr->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 ? 8U : (pkt[head + 12] >> 4) * 4U;
	return (unsigned)((len - head + hdr->gso_size - 1) / hdr->gso_size);
}

unsigned gro_rig_read(const struct gro_rig *rig, unsigned packets)
{
	struct pollfd p = { rig->out, POLLIN, 0 };
	struct virtio_net_hdr hdr;
	uint8_t got[sizeof hdr + 65536];
	unsigned reads = 0, seen = 0;
	while (seen < packets && poll(&p, 1, WAIT) > 0) {
		ssize_t n = read(rig->out, got, sizeof got);
		if (n < (ssize_t)sizeof hdr || !is_ours(got + sizeof hdr, (size_t)n - sizeof hdr))
			continue;
		memcpy(&hdr, got, sizeof hdr);
		seen += count(&hdr, got + sizeof hdr, (size_t)n - sizeof hdr);
		reads++;
	}
	return reads;
}
