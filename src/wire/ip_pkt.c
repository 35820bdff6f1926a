/* ip_pkt.c - the headers of an inner packet. */
#include "wire/ip_pkt.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/ip_hdr.h"

enum { V6_EXT_MAX = 8 }; /* extension headers walked before giving up */

static enum err parse_v4(const uint8_t *p, size_t len, struct ip_pkt *pkt)
{
	size_t header, total;

	if (len < IPV4_HEADER)
		return ERR_SYNTAX;
	header = (size_t)(p[0] & 15) * 4;
	total = get_be16(p + IPV4_TOTAL);
	if (header < IPV4_HEADER || total < header || total > len)
		return ERR_SYNTAX;
	pkt->src.family = pkt->dst.family = AF_INET;
	memcpy(pkt->src.bytes, p + IPV4_SRC, 4);
	memcpy(pkt->dst.bytes, p + IPV4_SRC + 4, 4);
	pkt->protocol = p[IPV4_PROTO];
	pkt->l4 = header;
	pkt->len = total;
	pkt->fragment = (get_be16(p + IPV4_FRAG) & 0x1fff) != 0;
	return ERR_OK;
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/* RFC 8200 4: follows the chain while it lasts; a cut-off chain leaves the extension as protocol.
 */
static void walk_extensions(const uint8_t *p, struct ip_pkt *pkt)
{
	for (unsigned i = 0; i < V6_EXT_MAX && is_extension(pkt->protocol); i++) {
		size_t n;
		if (pkt->len - pkt->l4 < 8)
			return;
		const uint8_t *ext = p + pkt->l4;
		if (pkt->protocol == IPPROTO_FRAGMENT)
			n = 8;
		else if (pkt->protocol == IPPROTO_AH)
			n = ((size_t)ext[1] + 2) * 4; /* RFC 4302 2.2: in 4-byte units */
		else
			n = ((size_t)ext[1] + 1) * 8;
		if (pkt->len - pkt->l4 < n)
			return;
		if (pkt->protocol == IPPROTO_FRAGMENT && (get_be16(ext + 2) & 0xfff8))
			pkt->fragment = true;
		pkt->protocol = ext[0];
		pkt->l4 += n;
		if (pkt->fragment)
			return;
	}
}

static enum err parse_v6(const uint8_t *p, size_t len, struct ip_pkt *pkt)
{
	size_t total;

	if (len < IPV6_HEADER)
		return ERR_SYNTAX;
	total = IPV6_HEADER + (size_t)get_be16(p + IPV6_PAYLOAD);
	if (total > len)
		return ERR_SYNTAX;
	pkt->src.family = pkt->dst.family = AF_INET6;
	memcpy(pkt->src.bytes, p + IPV6_SRC, 16);
	memcpy(pkt->dst.bytes, p + IPV6_SRC + 16, 16);
	pkt->protocol = p[IPV6_NEXT];
	pkt->l4 = IPV6_HEADER;
	pkt->len = total;
	walk_extensions(p, pkt);
	return ERR_OK;
}

enum err ip_pkt_parse(const uint8_t *data, size_t len, struct ip_pkt *out)
{
	struct ip_pkt pkt = { 0 };
	enum err err;

	if (!len)
		return ERR_SYNTAX;
	pkt.version = data[0] >> 4;
	err = pkt.version == 4	 ? parse_v4(data, len, &pkt)
	      : pkt.version == 6 ? parse_v6(data, len, &pkt)
				 : ERR_SYNTAX;
	if (!err)
		*out = pkt;
	return err;
}

bool ip_pkt_is_activity(const struct ip_pkt *pkt)
{
	return pkt->protocol != IPPROTO_ICMP && pkt->protocol != IPPROTO_ICMPV6 &&
	       pkt->protocol != IPPROTO_IGMP;
}
