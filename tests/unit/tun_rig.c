/* tun_rig.c - devices, addresses and forwarding, with the system calls that need no library. */
#include "tests/unit/tun_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/inet_csum.h"

enum { VNET_HDR = 10, QUEUE = 70000, PROBES = 300 };

const uint8_t TUN_RIG_SRC4[4] = { 10, 1, 0, 2 }, TUN_RIG_DST4[4] = { 10, 2, 0, 2 };
const uint8_t TUN_RIG_SRC6[16] = { 0xfd, 1, [15] = 2 }, TUN_RIG_DST6[16] = { 0xfd, 2, [15] = 2 };

static int failed(const char *what)
{
	fprintf(stderr, "tun_rig: %s: %s\n", what, strerror(errno));
	return -1;
}

static int set_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd;
	bool ok;

	snprintf(path, sizeof path, "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return ok ? 0 : failed(path);
}

/* Before the devices exist: nothing but the test's packets shall pass. */
static int set_sysctls(void)
{
	return set_sysctl("ipv4/ip_forward", "1") || set_sysctl("ipv6/conf/all/forwarding", "1") ||
	       set_sysctl("ipv4/conf/all/rp_filter", "0") ||
	       set_sysctl("ipv4/conf/default/rp_filter", "0") ||
	       set_sysctl("ipv6/conf/default/accept_dad", "0") ||
	       set_sysctl("ipv6/conf/default/addr_gen_mode", "1");
}

static int set_addresses(int s4, int s6, struct ifreq *ifr, const uint8_t v4[4],
			 const uint8_t v6[16])
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct in6_ifreq ifr6 = { .ifr6_prefixlen = 64 };

	memcpy(&in.sin_addr, v4, 4);
	((uint8_t *)&in.sin_addr)[3] = 1;
	memcpy(&ifr->ifr_addr, &in, sizeof in);
	if (ioctl(s4, SIOCSIFADDR, ifr))
		return failed("SIOCSIFADDR");
	in.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&ifr->ifr_netmask, &in, sizeof in);
	if (ioctl(s4, SIOCSIFNETMASK, ifr))
		return failed("SIOCSIFNETMASK");
	if (ioctl(s4, SIOCGIFINDEX, ifr))
		return failed("SIOCGIFINDEX");
	ifr6.ifr6_ifindex = ifr->ifr_ifindex;
	memcpy(&ifr6.ifr6_addr, v6, 16);
	((uint8_t *)&ifr6.ifr6_addr)[15] = 1;
	return ioctl(s6, SIOCSIFADDR, &ifr6) ? failed("SIOCSIFADDR of IPv6") : 0;
}

static int set_device(int s4, int s6, const char *name, const uint8_t v4[4], const uint8_t v6[16])
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	ifr.ifr_mtu = 65535;
	if (ioctl(s4, SIOCSIFMTU, &ifr))
		return failed("SIOCSIFMTU");
	ifr.ifr_qlen = QUEUE; /* all pieces of the largest super-packet */
	if (ioctl(s4, SIOCSIFTXQLEN, &ifr))
		return failed("SIOCSIFTXQLEN");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s4, SIOCSIFFLAGS, &ifr))
		return failed("SIOCSIFFLAGS");
	return set_addresses(s4, s6, &ifr, v4, v6);
}

int tun_rig_device(const char *name, int flags, const uint8_t v4[4], const uint8_t v6[16])
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags) };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (fd < 0 || s4 < 0 || s6 < 0 || ioctl(fd, TUNSETIFF, &ifr)) {
		failed("/dev/net/tun");
		close(fd);
		fd = -1;
	} else if (set_device(s4, s6, name, v4, v6)) {
		close(fd);
		fd = -1;
	}
	close(s4);
	close(s6);
	return fd;
}

/* The kernel puts routes of IPv6 in place a moment after the addresses. */
static int wait_for_routes(struct tun_rig *rig)
{
	uint8_t probe[VNET_HDR + 40] = { [VNET_HDR] = 0x60, [VNET_HDR + 6] = 59, 9 };
	uint8_t pkt[2048];

	memcpy(probe + VNET_HDR + 8, TUN_RIG_SRC6, 16);
	memcpy(probe + VNET_HDR + 24, TUN_RIG_DST6, 16);
	for (int i = 0; i < PROBES; i++) {
		if (write(rig->vnet, probe, sizeof probe) != sizeof probe)
			return failed("write to the TUN");
		if (tun_rig_read(rig, pkt, sizeof pkt, 10) == sizeof probe - VNET_HDR)
			return 0;
	}
	return failed("packets are not routed");
}

int tun_rig_enter(void)
{
	return unshare(CLONE_NEWNET) ? failed("unshare") : set_sysctls();
}

int tun_rig_open(struct tun_rig *rig)
{
	if (tun_rig_enter())
		return -1;
	rig->vnet = tun_rig_device("vnet", IFF_VNET_HDR, TUN_RIG_SRC4, TUN_RIG_SRC6);
	rig->plain = tun_rig_device("plain", 0, TUN_RIG_DST4, TUN_RIG_DST6);
	if (rig->vnet < 0 || rig->plain < 0)
		return -1;
	rig->uso = !ioctl(rig->vnet, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6);
	return wait_for_routes(rig);
}

void tun_rig_close(struct tun_rig *rig)
{
	close(rig->vnet);
	close(rig->plain);
}

/* Gives the hop back; false: not a packet between the networks. */
static bool take_back(uint8_t *pkt, size_t len)
{
	size_t header = (size_t)(pkt[0] & 15) * 4;

	if (len >= 20 && pkt[0] >> 4 == 4 && len >= header) {
		pkt[8]++;
		inet_csum_ipv4(pkt, header);
		return !memcmp(pkt + 12, TUN_RIG_SRC4, 3) && !memcmp(pkt + 16, TUN_RIG_DST4, 3);
	}
	pkt[7]++;
	return len >= 40 && !memcmp(pkt + 8, TUN_RIG_SRC6, 15) &&
	       !memcmp(pkt + 24, TUN_RIG_DST6, 15);
}

size_t tun_rig_read(const struct tun_rig *rig, uint8_t *pkt, size_t size, int ms)
{
	struct pollfd p = { rig->plain, POLLIN, 0 };

	for (;;) {
		ssize_t n = read(rig->plain, pkt, size);

		if (n > 0 && take_back(pkt, (size_t)n))
			return (size_t)n;
		if (n <= 0 && poll(&p, 1, ms) <= 0)
			return 0;
	}
}
