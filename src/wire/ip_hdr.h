/* ip_hdr.h - where things lie in the headers of IP, TCP and UDP, in bytes from the beginning of
 * each. RFC 791 3.1, RFC 8200 3, RFC 9293 3.1, RFC 768.  Used by whoever reads or writes packets.
 */
#ifndef WIRE_IP_HDR_H
#define WIRE_IP_HDR_H

enum {
	IPV4_TOS = 1,
	IPV4_TOTAL = 2, /* length of header and payload */
	IPV4_ID = 4,
	IPV4_FRAG = 6, /* flags and offset */
	IPV4_TTL = 8,
	IPV4_PROTO = 9,
	IPV4_CSUM = 10,
	IPV4_SRC = 12,	  /* the destination follows */
	IPV4_HEADER = 20, /* without options */

	IPV4_DF = 0x4000,	   /* in the word at IPV4_FRAG */
	IPV4_IS_FRAGMENT = 0x3fff, /* "more fragments" and the offset */
};

enum {
	IPV6_PAYLOAD = 4, /* length behind the fixed header */
	IPV6_NEXT = 6,
	IPV6_HOPS = 7,
	IPV6_SRC = 8, /* the destination follows */
	IPV6_HEADER = 40,
};

enum {
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFFSET = 12, /* of the payload, in the upper half: 32-bit words */
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CSUM = 16,
	TCP_URGENT = 18,
	TCP_HEADER = 20, /* without options */
};

/* At TCP_FLAGS. */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_HAS_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_CWR = 0x80,
};

enum {
	UDP_LENGTH = 4,
	UDP_CSUM = 6,
	UDP_HEADER = 8,
};

#endif /* WIRE_IP_HDR_H */
