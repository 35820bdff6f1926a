/* pkt_stream.h - random streams of packets of several flows as a client may send them, and the
 * check that they came through whole and in order.  For the tests of coalescing. */
#ifndef TESTS_UNIT_PKT_STREAM_H
#define TESTS_UNIT_PKT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/pkt_help.h"

enum { STREAM_FLOWS = 9, LIST_MOST = 128, LIST_ROOM = 2048 };

/* Where choices come from: the bytes DATA, and after the last of them always 0; without any,
 * numbers that follow from SEED. */
struct pkt_stream {
	uint64_t seed;
	const uint8_t *data;
	size_t left;
	struct pkt_spec flow[STREAM_FLOWS]; /* their next packets */
	unsigned current;
};

void stream_init(struct pkt_stream *s, uint64_t seed, const uint8_t *data, size_t len);

/* A number below N, at most 65536. */
unsigned stream_roll(struct pkt_stream *s, unsigned n);

/* Makes the next packet: most follow in their flow, others are what goes wrong in networks.  Every
 * one can be routed.  PKT has LIST_ROOM bytes.  Returns the length. */
size_t stream_next(struct pkt_stream *s, uint8_t *pkt);

struct pkt_list {
	unsigned n;
	size_t len[LIST_MOST];
	uint8_t pkt[LIST_MOST][LIST_ROOM];
};

/* Adds a copy.  False: there is no room. */
bool list_add(struct pkt_list *l, const uint8_t *pkt, size_t len);

/* Whether OUT has the packets of IN, each flow in order; else prints what is wrong.  Packets whose
 * flow cannot be told stay in order with all between their addresses.  IPv4 packets with DF that
 * had the identification of others may have another (RFC 6864 4.1). */
bool list_came_through(const struct pkt_list *in, const struct pkt_list *out);

/* Prints WHAT and the beginning of the packet. */
void list_print(const char *what, const uint8_t *pkt, size_t len);

#endif /* TESTS_UNIT_PKT_STREAM_H */
