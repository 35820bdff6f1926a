/* netlink.c - routing-socket requests by libmnl, one at a time, each acknowledged. */
#include "main/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

struct netlink {
	struct mnl_socket *sock;
	unsigned seq;
};

/* A request under construction. */
struct request {
	union {
		struct nlmsghdr h;
		char space[512];
	} u;
};

static int netlink_destroy(struct netlink *nl)
{
	mnl_socket_close(nl->sock);
	return 0;
}

enum err netlink_new(TALLOC_CTX *ctx, struct netlink **out)
{
	struct netlink *nl = talloc_zero(ctx, struct netlink);
	struct timeval limit = { .tv_sec = 5 };
	int on = 1;

	if (!nl)
		return ERR_NOMEM;
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->sock) {
		talloc_free(nl);
		return ERR_SYS;
	}
	talloc_set_destructor(nl, netlink_destroy);
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		talloc_free(nl);
		return ERR_SYS;
	}
	/* The kernel answers at once; a limit only so that nothing can ever stop main. */
	(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO, &limit,
			 sizeof limit);
	/* The kernel then filters dumps by device itself; old ones answer with everything, which
	 * the readers here sort out. */
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	*out = nl;
	return ERR_OK;
}

/* Begins a request with its family header of SIZE bytes, which is returned zeroed. */
static void *begin(struct netlink *nl, struct request *r, uint16_t type, uint16_t flags,
		   size_t size)
{
	struct nlmsghdr *h;

	memset(r, 0, sizeof *r);
	h = mnl_nlmsg_put_header(&r->u);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++nl->seq;
	return mnl_nlmsg_put_extra_header(h, size);
}

/* Sends and reads answers up to the acknowledgement or the end of a dump. */
static enum err run(struct netlink *nl, struct request *r, mnl_cb_t cb, void *arg)
{
	union {
		struct nlmsghdr h;
		char space[32768];
	} buf;
	unsigned portid = mnl_socket_get_portid(nl->sock);
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(nl->sock, &r->u, r->u.h.nlmsg_len) < 0)
		return ERR_SYS;
	while (ret > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, &buf, sizeof buf);
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
		/* A late answer to an earlier request that failed half-way is passed over. */
		if (n >= (ssize_t)sizeof buf.h && buf.h.nlmsg_seq == nl->seq)
			ret = mnl_cb_run(&buf, (size_t)n, nl->seq, portid, cb, arg);
	}
	if (ret == MNL_CB_STOP)
		return ERR_OK;
	if (errno == EEXIST)
		return ERR_EXISTS;
	return errno == ENODEV || errno == ENOENT || errno == ESRCH ? ERR_NOT_FOUND : ERR_SYS;
}

static enum err link_change(struct netlink *nl, unsigned index, unsigned mtu, unsigned up)
{
	struct request r;
	struct ifinfomsg *ifi = begin(nl, &r, RTM_NEWLINK, NLM_F_ACK, sizeof *ifi);

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)index;
	ifi->ifi_flags = up;
	ifi->ifi_change = up;
	if (mtu)
		mnl_attr_put_u32(&r.u.h, IFLA_MTU, mtu);
	return run(nl, &r, NULL, NULL);
}

enum err netlink_link_up(struct netlink *nl, unsigned index, unsigned mtu)
{
	return link_change(nl, index, mtu, IFF_UP);
}

enum err netlink_link_mtu(struct netlink *nl, unsigned index, unsigned mtu)
{
	return link_change(nl, index, mtu, 0);
}

enum err netlink_link_no_autoconf(struct netlink *nl, unsigned index)
{
	struct request r;
	struct ifinfomsg *ifi = begin(nl, &r, RTM_NEWLINK, NLM_F_ACK, sizeof *ifi);
	struct nlattr *spec, *inet6;

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)index;
	spec = mnl_attr_nest_start(&r.u.h, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(&r.u.h, AF_INET6);
	mnl_attr_put_u8(&r.u.h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(&r.u.h, inet6);
	mnl_attr_nest_end(&r.u.h, spec);
	return run(nl, &r, NULL, NULL);
}

enum err netlink_addr_add(struct netlink *nl, unsigned index, const struct addr *local,
			  const struct addr *peer)
{
	struct request r;
	struct ifaddrmsg *ifa =
		begin(nl, &r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof *ifa);

	ifa->ifa_family = local->family;
	ifa->ifa_prefixlen = (uint8_t)addr_bits(local);
	ifa->ifa_flags = local->family == AF_INET6 ? IFA_F_NODAD : 0;
	ifa->ifa_index = index;
	mnl_attr_put(&r.u.h, IFA_LOCAL, addr_len(local), local->bytes);
	mnl_attr_put(&r.u.h, IFA_ADDRESS, addr_len(peer), peer->bytes);
	return run(nl, &r, NULL, NULL);
}

static enum err route(struct netlink *nl, uint16_t type, uint16_t flags, unsigned index,
		      const struct addr_net *net)
{
	struct request r;
	struct rtmsg *rt = begin(nl, &r, type, (uint16_t)(NLM_F_ACK | flags), sizeof *rt);
	struct addr dst = addr_network(&net->addr, net->prefix);

	rt->rtm_family = dst.family;
	rt->rtm_dst_len = net->prefix;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put(&r.u.h, RTA_DST, addr_len(&dst), dst.bytes);
	mnl_attr_put_u32(&r.u.h, RTA_OIF, index);
	return run(nl, &r, NULL, NULL);
}

enum err netlink_route_set(struct netlink *nl, unsigned index, const struct addr_net *net)
{
	return route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, index, net);
}

enum err netlink_route_add(struct netlink *nl, unsigned index, const struct addr_net *net)
{
	return route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, net);
}

enum err netlink_route_del(struct netlink *nl, unsigned index, const struct addr_net *net)
{
	return route(nl, RTM_DELROUTE, 0, index, net);
}

static int on_link_attr(const struct nlattr *a, void *arg)
{
	struct netlink_link *link = arg;
	struct rtnl_link_stats64 s = { 0 };
	size_t len = mnl_attr_get_payload_len(a);

	if (mnl_attr_get_type(a) == IFLA_MTU && len == sizeof(uint32_t)) {
		link->mtu = mnl_attr_get_u32(a);
	} else if (mnl_attr_get_type(a) == IFLA_STATS64) {
		/* Its length grows with kernel versions. */
		memcpy(&s, mnl_attr_get_payload(a), len < sizeof s ? len : sizeof s);
		link->rx_bytes = s.rx_bytes;
		link->tx_bytes = s.tx_bytes;
		link->rx_packets = s.rx_packets;
		link->tx_packets = s.tx_packets;
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *h, void *arg)
{
	return mnl_attr_parse(h, sizeof(struct ifinfomsg), on_link_attr, arg);
}

enum err netlink_link_get(struct netlink *nl, unsigned index, struct netlink_link *out)
{
	struct request r;
	struct ifinfomsg *ifi = begin(nl, &r, RTM_GETLINK, NLM_F_ACK, sizeof *ifi);
	struct netlink_link link = { 0 };
	enum err err;

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)index;
	err = run(nl, &r, on_link, &link);
	if (!err)
		*out = link;
	return err;
}

struct addr_walk {
	unsigned index;
	void (*fn)(void *arg, const struct addr *local, const struct addr *peer);
	void *arg;
};

/* One address of the dump, while its attributes are read. */
struct addr_pair {
	uint8_t family;
	struct addr local, peer;
};

static int on_addr_attr(const struct nlattr *a, void *arg)
{
	struct addr_pair *pair = arg;
	uint16_t type = mnl_attr_get_type(a);
	struct addr *out = type == IFA_LOCAL ? &pair->local : &pair->peer;
	struct addr got = { .family = pair->family };

	if ((type == IFA_LOCAL || type == IFA_ADDRESS) &&
	    mnl_attr_get_payload_len(a) == addr_len(&got)) {
		memcpy(got.bytes, mnl_attr_get_payload(a), addr_len(&got));
		*out = got;
	}
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *h, void *arg)
{
	const struct addr_walk *w = arg;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct addr_pair pair = { .family = ifa->ifa_family };

	if (ifa->ifa_index != w->index)
		return MNL_CB_OK;
	if (mnl_attr_parse(h, sizeof *ifa, on_addr_attr, &pair) < 0)
		return MNL_CB_ERROR;
	if (pair.local.family && pair.peer.family)
		w->fn(w->arg, &pair.local, &pair.peer);
	return MNL_CB_OK;
}

enum err netlink_addr_each(struct netlink *nl, unsigned index,
			   void (*fn)(void *arg, const struct addr *local, const struct addr *peer),
			   void *arg)
{
	struct addr_walk walk = { index, fn, arg };
	struct request r;
	struct ifaddrmsg *ifa = begin(nl, &r, RTM_GETADDR, NLM_F_DUMP, sizeof *ifa);

	ifa->ifa_family = AF_UNSPEC;
	ifa->ifa_index = index;
	return run(nl, &r, on_addr, &walk);
}
