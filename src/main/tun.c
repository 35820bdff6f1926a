/* tun.c - TUN devices through /dev/net/tun and netlink. */
#include "main/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/vnet.h"

enum { IPV6_MIN_MTU = 1280, PREFIX_MAX = IFNAMSIZ - 5 };

struct tun {
	struct netlink *nl;
	int fd;
	unsigned index, mtu, offloads;
	char name[IFNAMSIZ];
	struct tun_addrs addrs;
};

static int tun_destroy(struct tun *tun)
{
	tun_close_fd(tun);
	return 0;
}

static struct tun *tun_alloc(TALLOC_CTX *ctx, struct netlink *nl, int fd)
{
	struct tun *tun = talloc_zero(ctx, struct tun);

	if (!tun)
		return NULL;
	tun->nl = nl;
	tun->fd = fd;
	talloc_set_destructor(tun, tun_destroy);
	return tun;
}

static enum err fail(const char *step)
{
	log_err(NULL, "tun-failed", kv_str("step", step), kv_str("reason", strerror(errno)));
	return ERR_SYS;
}

static enum err find_index(struct tun *tun)
{
	tun->index = if_nametoindex(tun->name);
	return tun->index ? ERR_OK : fail("find the device");
}

/* Asks for WANTED on a device with virtio-net headers; what the kernel does not know it refuses. */
static void set_offloads(struct tun *tun, unsigned wanted)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	tun->offloads = TUN_OFFLOAD_VNET;
	if (wanted & TUN_OFFLOAD_USO &&
	    ioctl(tun->fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0)
		tun->offloads |= TUN_OFFLOAD_USO;
	else if (ioctl(tun->fd, TUNSETOFFLOAD, tcp) < 0)
		log_debug(NULL, "tun-without-offload", kv_str("reason", strerror(errno)));
}

/* Attaches the descriptor to a new device, with virtio-net headers if wanted and possible. */
static enum err attach(struct tun *tun, struct ifreq *ifr, unsigned wanted)
{
	int size = sizeof(struct virtio_net_hdr);

	ifr->ifr_flags = IFF_TUN | IFF_NO_PI;
	if (wanted & TUN_OFFLOAD_VNET) {
		ifr->ifr_flags |= IFF_VNET_HDR;
		if (ioctl(tun->fd, TUNSETIFF, ifr) == 0) {
			if (ioctl(tun->fd, TUNSETVNETHDRSZ, &size) < 0)
				return fail("set the size of packet headers");
			set_offloads(tun, wanted);
			return ERR_OK;
		}
		ifr->ifr_flags = IFF_TUN | IFF_NO_PI;
	}
	return ioctl(tun->fd, TUNSETIFF, ifr) < 0 ? fail("create the device") : ERR_OK;
}

/* The kernel replaces %d by the first free number. */
static enum err create(struct tun *tun, const char *prefix, unsigned wanted)
{
	struct ifreq ifr = { 0 };
	enum err err;
	size_t len = strlen(prefix);

	if (len > PREFIX_MAX || strchr(prefix, '%'))
		return ERR_TOO_LONG;
	memcpy(ifr.ifr_name, prefix, len);
	memcpy(ifr.ifr_name + len, "%d", sizeof "%d");
	tun->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun->fd < 0)
		return fail("open /dev/net/tun");
	err = attach(tun, &ifr, wanted);
	if (err)
		return err;
	memcpy(tun->name, ifr.ifr_name, sizeof tun->name);
	return find_index(tun);
}

static enum err set_addrs(struct tun *tun, const struct tun_addrs *a)
{
	struct addr_net block = { a->v6_peer, a->v6_prefix };
	enum err err = ERR_OK;

	if (a->v4_local.family)
		err = netlink_addr_add(tun->nl, tun->index, &a->v4_local, &a->v4_peer);
	if (!err && a->v6_local.family)
		err = netlink_addr_add(tun->nl, tun->index, &a->v6_local, &a->v6_peer);
	if (!err && a->v6_local.family && a->v6_prefix < 128)
		err = netlink_route_set(tun->nl, tun->index, &block);
	if (err)
		return fail("set addresses");
	tun->addrs = *a;
	return ERR_OK;
}

/* Without the kernel's IPv6 there is no autoconfiguration to switch off either, so that error is
 * passed over.  Up comes before addresses: routes to a device that is down are refused. */
static enum err configure(struct tun *tun, unsigned mtu, const struct tun_addrs *addrs)
{
	enum err err = netlink_link_no_autoconf(tun->nl, tun->index);

	if (err && errno != EAFNOSUPPORT && errno != EOPNOTSUPP)
		return fail("switch off autoconfiguration");
	if (addrs->v6_local.family && mtu < IPV6_MIN_MTU)
		mtu = IPV6_MIN_MTU;
	if (netlink_link_up(tun->nl, tun->index, mtu))
		return fail("bring the device up");
	tun->mtu = mtu;
	return set_addrs(tun, addrs);
}

enum err tun_new(TALLOC_CTX *ctx, struct netlink *nl, const char *prefix, unsigned mtu,
		 const struct tun_addrs *addrs, unsigned wanted, struct tun **out)
{
	struct tun *tun = tun_alloc(ctx, nl, -1);
	enum err err;

	if (!tun)
		return ERR_NOMEM;
	err = create(tun, prefix, wanted);
	if (!err)
		err = configure(tun, mtu, addrs);
	if (err) {
		talloc_free(tun);
		return err;
	}
	*out = tun;
	return ERR_OK;
}

static void remember_addr(void *arg, const struct addr *local, const struct addr *peer)
{
	struct tun_addrs *a = arg;

	if (local->family == AF_INET) {
		a->v4_local = *local;
		a->v4_peer = *peer;
	} else {
		a->v6_local = *local;
		a->v6_peer = *peer;
	}
}

/* Name, index, MTU and addresses of a device from its descriptor. */
static enum err inspect(struct tun *tun)
{
	struct netlink_link link;
	struct ifreq ifr = { 0 };

	if (ioctl(tun->fd, TUNGETIFF, &ifr) < 0)
		return fail("recognise the device");
	memcpy(tun->name, ifr.ifr_name, sizeof tun->name);
	/* Which offloads were set nobody can ask; setting them again to the same harms nobody. */
	if (ifr.ifr_flags & IFF_VNET_HDR)
		set_offloads(tun, TUN_OFFLOAD_USO);
	if (find_index(tun))
		return ERR_SYS;
	if (netlink_link_get(tun->nl, tun->index, &link))
		return fail("read the device");
	tun->mtu = link.mtu;
	tun->addrs.v6_prefix = 128;
	if (netlink_addr_each(tun->nl, tun->index, remember_addr, &tun->addrs))
		return fail("read addresses");
	return ERR_OK;
}

enum err tun_adopt(TALLOC_CTX *ctx, struct netlink *nl, int fd, struct tun **out)
{
	struct tun *tun = tun_alloc(ctx, nl, fd);
	enum err err;

	if (!tun) {
		close(fd);
		return ERR_NOMEM;
	}
	err = inspect(tun);
	if (err) {
		talloc_free(tun);
		return err;
	}
	*out = tun;
	return ERR_OK;
}

void tun_set_v6_prefix(struct tun *tun, uint8_t prefix)
{
	tun->addrs.v6_prefix = prefix;
}

int tun_fd(const struct tun *tun)
{
	return tun->fd;
}

void tun_close_fd(struct tun *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	tun->fd = -1;
}

const char *tun_name(const struct tun *tun)
{
	return tun->name;
}

unsigned tun_index(const struct tun *tun)
{
	return tun->index;
}

const struct tun_addrs *tun_addrs(const struct tun *tun)
{
	return &tun->addrs;
}

unsigned tun_mtu(const struct tun *tun)
{
	return tun->mtu;
}

unsigned tun_offloads(const struct tun *tun)
{
	return tun->offloads;
}

enum err tun_set_mtu(struct tun *tun, unsigned mtu)
{
	enum err err;

	if (tun->addrs.v6_local.family && mtu < IPV6_MIN_MTU)
		mtu = IPV6_MIN_MTU;
	if (mtu == tun->mtu)
		return ERR_OK;
	err = netlink_link_mtu(tun->nl, tun->index, mtu);
	if (!err)
		tun->mtu = mtu;
	return err;
}

enum err tun_counters(const struct tun *tun, struct tun_counters *out)
{
	struct netlink_link link;
	enum err err = netlink_link_get(tun->nl, tun->index, &link);

	if (err)
		return err;
	*out = (struct tun_counters){ link.rx_bytes, link.tx_bytes, link.rx_packets,
				      link.tx_packets };
	return ERR_OK;
}
