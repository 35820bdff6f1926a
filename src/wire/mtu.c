/* mtu.c - the MTU arithmetic; differences are taken only after a check that they are positive. */
#include "wire/mtu.h"

enum {
	IP_UDP_4 = 28, /* outer IPv4 and UDP headers */
	IP_UDP_6 = 48,
	TYPE_BYTE = 1,	       /* DTLS frame header, protocol.md 6.7 */
	RECORD = 13,	       /* DTLS record header */
	LEGACY_GUESS = 1 + 65, /* what X-CSTP-MTU leaves out of the link MTU (5.5) */
};

/* protocol.md 6.8: bytes of explicit IV or nonce, of the tag or MAC, of a cipher block. */
struct shape {
	uint8_t iv, tag, block;
};

static struct shape shape_of(enum suite_cipher cipher, enum suite_mac mac)
{
	static const uint8_t macs[] = {
		[SUITE_AEAD] = 0,
		[SUITE_SHA1] = 20,
		[SUITE_SHA256] = 32,
		[SUITE_SHA384] = 48,
	};

	switch (cipher) {
	case SUITE_AES_128_GCM:
	case SUITE_AES_256_GCM:
	case SUITE_AES_128_CCM:
	case SUITE_AES_256_CCM:
		return (struct shape){ 8, 16, 0 };
	case SUITE_AES_CCM_8:
		return (struct shape){ 8, 8, 0 };
	case SUITE_CHACHA20_POLY1305:
		return (struct shape){ 0, 16, 0 };
	case SUITE_3DES_CBC:
		return (struct shape){ 8, macs[mac], 8 };
	case SUITE_AES_128_CBC:
	case SUITE_AES_256_CBC:
		return (struct shape){ 16, macs[mac], 16 };
	case SUITE_CIPHER_UNKNOWN:
		break;
	}
	return (struct shape){ 16, macs[SUITE_SHA384], 16 };
}

static unsigned outer(bool outer_v6)
{
	return outer_v6 ? IP_UDP_6 : IP_UDP_4;
}

/* A claimed VALUE lowers LINK when it is believable (protocol.md 10.2 lists what is not). */
static unsigned lower(unsigned link, uint64_t value, unsigned min)
{
	return value >= min && value <= MTU_HEADER_MAX && value < link ? (unsigned)value : link;
}

unsigned mtu_link(const struct mtu_claims *c)
{
	unsigned min = c->inner_v6 ? MTU_LINK_MIN6 : MTU_LINK_MIN4;
	unsigned link = c->configured ? c->configured : MTU_DEFAULT;

	if (c->base_mtu)
		link = lower(link, c->base_mtu, min);
	else if (c->client_mtu)
		link = lower(link, (uint64_t)c->client_mtu + outer(c->outer_v6) + LEGACY_GUESS,
			     min);
	if (c->path_mtu && c->path_mtu < link)
		link = c->path_mtu;
	if (link > MTU_HEADER_MAX)
		link = MTU_HEADER_MAX;
	return link < min ? min : link;
}

unsigned mtu_overhead(enum suite_cipher cipher, enum suite_mac mac)
{
	struct shape s = shape_of(cipher, mac);

	return (unsigned)RECORD + s.iv + s.tag + s.block;
}

unsigned mtu_data(unsigned link, bool outer_v6, unsigned overhead)
{
	unsigned taken = outer(outer_v6) + overhead + TYPE_BYTE;

	return link > taken ? link - taken : 0;
}

unsigned mtu_data_exact(unsigned link, bool outer_v6, enum suite_cipher cipher, enum suite_mac mac)
{
	struct shape s = shape_of(cipher, mac);
	unsigned taken = outer(outer_v6) + RECORD + s.iv, room, behind;

	if (!s.block)
		return mtu_data(link, outer_v6, mtu_overhead(cipher, mac));
	if (link <= taken)
		return 0;
	room = (link - taken) / s.block * s.block;
	behind = s.tag + 1u + TYPE_BYTE; /* MAC and the padding length byte */
	return room > behind ? room - behind : 0;
}

unsigned mtu_link_of_data(unsigned data, bool outer_v6, unsigned overhead)
{
	return data + outer(outer_v6) + overhead + TYPE_BYTE;
}
