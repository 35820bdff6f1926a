/* test_path_gso_socket.c - super-packets that the kernel itself makes of what sockets send, cut:
 * what arrives is what was sent, in packets of the right size with right checksums (needs root). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/unit/tun_rig.h"
#include "wire/inet_csum.h"
#include "wire/ip_pkt.h"
#include "worker/path/gso.h"

enum { WAIT = 5000, TRIES = 300, SIZE = 1000, MSS = 1348, SENT = 12000, SYN = 0x02, ACK = 0x10 };

static struct tun_rig rig;
static struct gso gso;

/* What a socket sent, and what the pieces have brought of it. */
struct talk {
	int family, socket;
	uint8_t sent[SENT], got[SENT];
	size_t bytes;
	unsigned pieces, supers;
	size_t most;   /* payload of the largest piece */
	uint32_t base; /* sequence number of the first byte, of TCP */
};

/* Connects to an address behind the device.  The kernel makes addresses and routes of IPv6 usable a
 * moment after they are set, from a work queue. */
static void connect_behind(int fd, int family)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	bool v6 = family == AF_INET6;
	int tries = 0;

	memcpy(&in.sin_addr, TUN_RIG_SRC4, 4);
	memcpy(&in6.sin6_addr, TUN_RIG_SRC6, 16);
	while (connect(fd, v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
		       v6 ? sizeof in6 : sizeof in) &&
	       errno != EINPROGRESS) {
		assert_true(++tries < TRIES);
		usleep(10000);
	}
}

/* Opens a socket that talks to an address behind the device. */
static void begin(struct talk *t, int family, int type)
{
	memset(t, 0, sizeof *t);
	for (size_t i = 0; i < SENT; i++)
		t->sent[i] = (uint8_t)(i * 7 + i / 256);
	t->family = family;
	t->socket = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	connect_behind(t->socket, family);
}

/* The next (super-)packet that the kernel sends to the device; its bytes are in memory of gso. */
static void next_super(struct talk *t)
{
	static uint8_t room[GSO_HEADROOM + 66000];
	struct virtio_net_hdr hdr;
	struct iovec iov[] = { { &hdr, sizeof hdr }, { room + GSO_HEADROOM, 66000 } };
	struct pollfd p = { rig.vnet, POLLIN, 0 };
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT), 1);
	n = readv(rig.vnet, iov, 2) - (ssize_t)sizeof hdr;
	assert_true(n > 0);
	assert_int_equal(gso_begin(&gso, &hdr, room + GSO_HEADROOM, (size_t)n), ERR_OK);
	t->supers += hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* Checks a piece and keeps its payload.  False: it is not of T's socket. */
static bool take(struct talk *t, const uint8_t *pkt, size_t len)
{
	struct ip_pkt ip;
	size_t head, at;

	assert_int_equal(ip_pkt_parse(pkt, len, &ip), ERR_OK);
	assert_int_equal(ip.len, len);
	if ((ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) ||
	    ip.version != (t->family == AF_INET ? 4U : 6U))
		return false;
	assert_true(ip.version == 6 || inet_csum_fold(inet_csum_add(0, pkt, ip.l4)) == 0xffff);
	assert_int_equal(
		inet_csum_fold(inet_csum_add(inet_csum_pseudo(pkt, ip.protocol, len - ip.l4),
					     pkt + ip.l4, len - ip.l4)),
		0xffff);
	head = ip.l4 + (ip.protocol == IPPROTO_UDP ? 8U : (pkt[ip.l4 + 12] >> 4) * 4U);
	at = ip.protocol == IPPROTO_UDP ? t->bytes : get_be32(pkt + ip.l4 + 4) - t->base;
	assert_true(at + (len - head) <= SENT || len == head);
	memcpy(t->got + (len == head ? 0 : at), pkt + head, len - head);
	t->bytes += len - head;
	t->most = t->most < len - head ? len - head : t->most;
	t->pieces++;
	return true;
}

static void receive(struct talk *t, size_t bytes)
{
	uint8_t *pkt;
	size_t len;

	while (t->bytes < bytes) {
		next_super(t);
		while (gso_next(&gso, &pkt, &len))
			(void)take(t, pkt, len);
	}
	assert_int_equal(t->bytes, bytes);
	assert_memory_equal(t->got, t->sent, bytes);
}

static void datagrams_of_udp_segment_arrive(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct talk t;
	int size = SIZE;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&t, families[i], SOCK_DGRAM);
		assert_int_equal(setsockopt(t.socket, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size),
				 0);
		assert_int_equal(send(t.socket, t.sent, SENT - 500, 0), SENT - 500);
		receive(&t, SENT - 500);
		assert_int_equal(t.pieces, SENT / SIZE);
		assert_int_equal(t.most, SIZE);
		assert_int_equal(t.supers, rig.uso ? 1 : 0);
		close(t.socket);
	}
}

static void a_datagram_arrives_with_its_checksum(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct talk t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 1; len < 70; len++) {
			begin(&t, families[i], SOCK_DGRAM);
			assert_int_equal(send(t.socket, t.sent, len, 0), (ssize_t)len);
			receive(&t, len);
			assert_int_equal(t.pieces, 1);
			close(t.socket);
		}
	}
}

/* Turns the SYN at PKT into the answer to it, with MSS as its only option, and gives it to the
 * kernel. */
static void answer(uint8_t *pkt, const struct ip_pkt *ip)
{
	size_t len = ip->l4 + 24, addr = ip->version == 4 ? 12 : 8, n = ip->version == 4 ? 4 : 16;
	uint8_t hdr[10] = { 0 }, *tcp = pkt + ip->l4, swap[16];
	struct iovec iov[] = { { hdr, sizeof hdr }, { pkt, len } };

	memcpy(swap, pkt + addr, n);
	memcpy(pkt + addr, pkt + addr + n, n);
	memcpy(pkt + addr + n, swap, n);
	put_be16(tcp + 2, get_be16(tcp));
	put_be16(tcp, 9);
	put_be32(tcp + 8, get_be32(tcp + 4) + 1);
	tcp[12] = 6 << 4;
	tcp[13] = SYN | ACK;
	put_be32(tcp + 20, 2u << 24 | 4u << 16 | MSS);
	if (ip->version == 4) {
		put_be16(pkt + 2, (unsigned)len);
		inet_csum_ipv4(pkt, ip->l4);
	} else {
		put_be16(pkt + 4, (unsigned)len - 40);
	}
	put_be16(tcp + 16, 0);
	inet_csum_store(tcp + 16, (uint16_t)~inet_csum_fold(inet_csum_add(
					  inet_csum_pseudo(pkt, IPPROTO_TCP, 24), tcp, 24)));
	assert_int_equal(writev(rig.vnet, iov, 2), (ssize_t)(sizeof hdr + len));
}

/* Answers the SYN of the socket: it is connected then. */
static void accept_tcp(struct talk *t)
{
	struct pollfd p = { t->socket, POLLOUT, 0 };
	struct ip_pkt ip;
	uint8_t *pkt;
	size_t len;

	do {
		next_super(t);
		assert_true(gso_next(&gso, &pkt, &len));
	} while (!take(t, pkt, len));
	assert_int_equal(ip_pkt_parse(pkt, len, &ip), ERR_OK);
	assert_int_equal(pkt[ip.l4 + 13] & (SYN | ACK), SYN);
	t->base = get_be32(pkt + ip.l4 + 4) + 1;
	t->pieces = 0;
	answer(pkt, &ip);
	assert_int_equal(poll(&p, 1, WAIT), 1);
}

static void what_tcp_sends_arrives(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct talk t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&t, families[i], SOCK_STREAM);
		accept_tcp(&t);
		/* no more than the first window of congestion, for which nobody must answer */
		assert_int_equal(send(t.socket, t.sent, SENT, 0), SENT);
		receive(&t, SENT);
		assert_int_equal(t.most, MSS);
		assert_true(t.supers > 0);
		close(t.socket);
	}
}

static int open_rig(void **state)
{
	unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	(void)state;
	if (tun_rig_open(&rig))
		return -1;
	return ioctl(rig.vnet, TUNSETOFFLOAD, offload | (rig.uso ? TUN_F_USO4 | TUN_F_USO6 : 0));
}

static int close_rig(void **state)
{
	(void)state;
	tun_rig_close(&rig);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_of_udp_segment_arrive),
		cmocka_unit_test(a_datagram_arrives_with_its_checksum),
		cmocka_unit_test(what_tcp_sends_arrives),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
