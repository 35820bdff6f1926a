/* path_rig.c - see path_rig.h.  Used by the tests of worker/path. */
#include "tests/unit/path_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/dtls.h>
#include <gnutls/x509.h>

#include "base/clock.h"
#include "base/secret.h"
#include "wire/cstp_frame.h"
#include "wire/dtls_hello.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "rig: %s: %s\n", what, strerror(errno));
		abort();
	}
}

/* ---- what the path tells ---- */

static void on_mtu(void *arg, unsigned mtu)
{
	struct rig *r = arg;
	r->mtu = mtu;
	r->mtu_calls++;
}

static void on_dtls(void *arg, const char *cipher)
{
	struct rig *r = arg;
	r->dtls_up = cipher != NULL;
	r->dtls_calls++;
	snprintf(r->cipher, sizeof r->cipher, "%s", cipher ? cipher : "");
}

static void on_rekey(void *arg, bool tls13)
{
	struct rig *r = arg;
	(void)tls13;
	r->rekeys++;
}

static void on_udp_peer(void *arg, const struct endpoint *peer)
{
	struct rig *r = arg;
	(void)peer;
	r->peers++;
}

static void on_counters(void *arg)
{
	struct rig *r = arg;
	r->counter_calls++;
}

static const struct path_ops ops = { on_mtu, on_dtls, on_rekey, on_udp_peer, on_counters };

/* ---- making the two ends ---- */

static void self_signed(gnutls_certificate_credentials_t cred)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_dn(crt, "CN=rig", NULL);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	must(gnutls_certificate_set_x509_key(cred, &crt, 1, key) >= 0, "certificate");
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void tcp_pair(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int one = 1;
	int l = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(l, (void *)&a, sizeof a) && !listen(l, 1), "listen");
	must(!getsockname(l, (void *)&a, &len), "getsockname");
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(fd[0], (void *)&a, sizeof a), "connect");
	fd[1] = accept(l, NULL, NULL);
	must(fd[1] >= 0, "accept");
	close(l);
	/* What the client sends must be there when the path is stepped next. */
	setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	fcntl(fd[1], F_SETFL, O_NONBLOCK);
}

static gnutls_session_t tls_handshake(struct rig *r, int server_fd)
{
	gnutls_session_t s;
	gnutls_init(&s, GNUTLS_SERVER | GNUTLS_NONBLOCK);
	gnutls_init(&r->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
	must(gnutls_priority_set_direct(s, "NORMAL", NULL) >= 0 &&
		     gnutls_priority_set_direct(r->tls, r->opt.tls, NULL) >= 0,
	     "priority");
	gnutls_certificate_allocate_credentials(&r->server_cred);
	gnutls_certificate_allocate_credentials(&r->client_cred);
	self_signed(r->server_cred);
	if (r->opt.client_cert)
		self_signed(r->client_cred);
	gnutls_certificate_server_set_request(s, r->opt.client_cert ? GNUTLS_CERT_REQUEST
								    : GNUTLS_CERT_IGNORE);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, r->server_cred);
	gnutls_credentials_set(r->tls, GNUTLS_CRD_CERTIFICATE, r->client_cred);
	must(!r->opt.record || gnutls_record_set_max_recv_size(r->tls, r->opt.record) >= 0,
	     "record size");
	gnutls_transport_set_int(s, server_fd);
	gnutls_transport_set_int(r->tls, r->tcp);
	int a = GNUTLS_E_AGAIN, b = GNUTLS_E_AGAIN;
	/* Time, not turns: on a busy machine many turns pass before the kernel has moved a byte. */
	for (uint64_t end = clock_ms() + 30000; (a || b) && clock_ms() < end;) {
		if (a)
			a = gnutls_handshake(s);
		if (b)
			b = gnutls_handshake(r->tls);
		must(!gnutls_error_is_fatal(a) && !gnutls_error_is_fatal(b), "tls handshake");
	}
	must(!a && !b, "tls handshake");
	return s;
}

static unsigned default_off;

void rig_default_off(unsigned off)
{
	default_off = off;
}

void rig_opt_init(struct rig_opt *opt)
{
	memset(opt, 0, sizeof *opt);
	opt->tls = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	opt->mode = DTLS_PSK;
	opt->limits = (struct path_limits){ .dpd = 90,
					    .switch_to_tcp = 25,
					    .link_mtu = 1500,
					    .data_mtu = 1434,
					    .rekey = 3600,
					    .rekey_ssl = true,
					    .send_timeout = 10,
					    .off = default_off };
	(void)!addr_parse("10.0.0.2", &opt->limits.v4);
}

static void listen_udp(struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int one = 1;
	r->listener = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	must(!bind(r->listener, (void *)&a, sizeof a), "bind udp");
	must(!getsockname(r->listener, (void *)&a, &len), "getsockname");
	must(!endpoint_from_sockaddr((void *)&a, &r->server), "endpoint");
}

struct rig *rig_new(const struct rig_opt *opt)
{
	struct rig *r = calloc(1, sizeof *r);
	int tun[2], tcp[2];
	must(r && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tun), "socketpair");
	tcp_pair(tcp);
	r->opt = *opt;
	r->tun = tun[0];
	r->tcp = tcp[0];
	secret_random(r->id, sizeof r->id);
	secret_random(r->master, sizeof r->master);
	listen_udp(r);
	struct path_dtls dtls = { .priorities = "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK" };
	dtls.choice = opt->legacy;
	dtls.choice.mode = opt->mode;
	memcpy(dtls.session_id, r->id, sizeof r->id);
	memcpy(dtls.master, r->master, sizeof r->master);
	gnutls_session_t s = tls_handshake(r, tcp[1]);
	must(!path_new(NULL, s, tcp[1], tun[1], &opt->limits, &dtls, &ops, r, &r->path), "path");
	rig_run(r);
	return r;
}

void rig_switch_cert(struct rig *r, bool show)
{
	gnutls_certificate_credentials_t old = r->client_cred;
	gnutls_certificate_allocate_credentials(&r->client_cred);
	if (show)
		self_signed(r->client_cred);
	gnutls_credentials_set(r->tls, GNUTLS_CRD_CERTIFICATE, r->client_cred);
	gnutls_certificate_free_credentials(old);
}

void rig_free(struct rig *r)
{
	talloc_free(r->path);
	gnutls_deinit(r->tls);
	gnutls_certificate_free_credentials(r->client_cred);
	gnutls_certificate_free_credentials(r->server_cred);
	close(r->tun);
	close(r->tcp);
	close(r->listener);
	free(r);
}

/* ---- the event loop, and main's part ---- */

static void add_poll(struct pollfd *p, int fd, unsigned ready, unsigned in, unsigned out)
{
	p->fd = ready & (in | out) ? fd : -1;
	p->events = (short)((ready & in ? POLLIN : 0) | (ready & out ? POLLOUT : 0));
}

static unsigned got(const struct pollfd *p, unsigned in, unsigned out)
{
	unsigned r = 0;
	if (p->revents & (POLLIN | POLLERR | POLLHUP) && p->events & POLLIN)
		r |= in;
	if (p->revents & POLLOUT)
		r |= out;
	return r;
}

/* Hands a first datagram to the path with a socket connected to its source. */
static bool steer(struct rig *r, uint64_t now)
{
	uint8_t data[2048];
	struct sockaddr_storage from, to;
	socklen_t len = sizeof from;
	struct endpoint peer;
	struct dtls_hello hello;
	int one = 1;
	ssize_t k = recvfrom(r->listener, data, sizeof data, 0, (void *)&from, &len);
	if (k < 0)
		return false;
	must(!endpoint_from_sockaddr((void *)&from, &peer), "peer");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	socklen_t tolen = endpoint_to_sockaddr(&r->server, &to);
	must(!bind(fd, (void *)&to, tolen) && !connect(fd, (void *)&from, len), "connect udp");
	bool is_hello = !dtls_hello_parse(data, (size_t)k, false, &hello) &&
			!memcmp(hello.id, r->id, sizeof r->id);
	path_udp(r->path, fd, &peer, is_hello, data, (size_t)k, now);
	memset(data, 0xdb, sizeof data); /* it was borrowed for the call */
	return true;
}

/* One turn; whether anything happened. */
static bool turn(struct rig *r)
{
	struct path_wants w;
	struct pollfd p[4];
	uint64_t now = clock_ms() + r->skew;
	bool steered = steer(r, now);
	path_wants(r->path, &w);
	add_poll(&p[0], w.tun, w.ready, PATH_TUN_IN, 0);
	add_poll(&p[1], w.tcp, w.ready, PATH_TCP_IN, PATH_TCP_OUT);
	add_poll(&p[2], w.udp, w.ready, PATH_UDP_IN, PATH_UDP_OUT);
	add_poll(&p[3], w.udp_new, w.ready, PATH_UDP_NEW_IN, 0);
	must(poll(p, 4, 0) >= 0, "poll");
	unsigned ready = got(&p[0], PATH_TUN_IN, 0) | got(&p[1], PATH_TCP_IN, PATH_TCP_OUT) |
			 got(&p[2], PATH_UDP_IN, PATH_UDP_OUT) | got(&p[3], PATH_UDP_NEW_IN, 0);
	if (!ready && now < w.deadline)
		return steered;
	r->steps++;
	r->end = path_step(r->path, ready, now);
	return true;
}

void rig_run(struct rig *r)
{
	/* A bound: a path that wants to be stepped for ever is a busy loop. */
	for (int i = 0; i < 20000; i++) {
		if (r->end != PATH_END_NONE || !turn(r))
			return;
	}
	must(false, "the path never comes to rest");
}

void rig_later(struct rig *r, uint64_t ms)
{
	r->skew += ms;
	rig_run(r);
}

/* ---- the client on TCP ---- */

void rig_send_raw(struct rig *r, const void *data, size_t len)
{
	ssize_t k = gnutls_record_send(r->tls, data, len);
	must(k == (ssize_t)len, "client send");
	rig_run(r);
}

void rig_send(struct rig *r, uint8_t type, const void *payload, size_t len)
{
	uint8_t frame[CSTP_HEADER + 16384];
	cstp_header_build(frame, type, len);
	if (len)
		memcpy(frame + CSTP_HEADER, payload, len);
	rig_send_raw(r, frame, CSTP_HEADER + len);
}

int rig_recv(struct rig *r, uint8_t *type, uint8_t *payload, size_t cap)
{
	static uint8_t record[16384 + 64];
	ssize_t k = GNUTLS_E_AGAIN;
	for (int i = 0; i < 50 && k == GNUTLS_E_AGAIN; i++) {
		rig_run(r);
		k = gnutls_record_recv(r->tls, record, sizeof record);
		if (k == GNUTLS_E_AGAIN)
			usleep(200);
	}
	if (k == 0 || (k < 0 && k != GNUTLS_E_AGAIN))
		r->tcp_closed = true;
	if (k <= 0)
		return -1;
	size_t len = 0;
	must(k >= CSTP_HEADER && !cstp_header_parse(record, type, &len) &&
		     len + CSTP_HEADER == (size_t)k && len <= cap,
	     "a record that is not one frame");
	memcpy(payload, record + CSTP_HEADER, len);
	return (int)len;
}

/* ---- the TUN ---- */

void rig_tun_put(struct rig *r, const void *pkt, size_t len)
{
	must(send(r->tun, pkt, len, 0) == (ssize_t)len, "tun put");
	rig_run(r);
}

int rig_tun_get(struct rig *r, void *pkt, size_t cap)
{
	rig_run(r);
	return (int)recv(r->tun, pkt, cap, MSG_DONTWAIT);
}

void rig_packet(uint8_t *pkt, size_t len, const char *src, const char *dst, uint8_t proto,
		uint32_t mark)
{
	memset(pkt, (int)(mark & 0xff), len);
	memset(pkt, 0, 20);
	pkt[0] = 0x45;
	pkt[2] = (uint8_t)(len >> 8);
	pkt[3] = (uint8_t)len;
	pkt[8] = 64;
	pkt[9] = proto;
	must(inet_pton(AF_INET, src, pkt + 12) == 1 && inet_pton(AF_INET, dst, pkt + 16) == 1,
	     "address");
	if (len >= 32)
		memcpy(pkt + 28, &mark, 4);
}

/* ---- the client on UDP ---- */

static ssize_t udp_push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct rig_udp *u = ptr;
	struct sockaddr_storage to;
	socklen_t tolen = endpoint_to_sockaddr(&u->rig->server, &to);
	if (!u->hello_len && len <= sizeof u->hello) {
		memcpy(u->hello, data, len);
		u->hello_len = len;
	}
	if (len <= sizeof u->last) {
		memcpy(u->last, data, len);
		u->last_len = len;
	}
	ssize_t k = sendto(u->fd, data, len, 0, (void *)&to, tolen);
	return k < 0 ? (ssize_t)len : k;
}

static ssize_t udp_pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct rig_udp *u = ptr;
	ssize_t k = recv(u->fd, data, len, MSG_DONTWAIT);
	if (k >= 0 && !u->lose_input)
		return k;
	gnutls_transport_set_errno(u->s, EAGAIN);
	return -1;
}

static int udp_pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct rig_udp *u = ptr;
	struct pollfd p = { .fd = u->fd, .events = POLLIN };
	(void)ms;
	return poll(&p, 1, 0);
}

static void new_socket(struct rig_udp *u)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	u->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	must(u->fd >= 0 && !bind(u->fd, (void *)&a, sizeof a), "udp client");
}

static void use_psk(struct rig *r, struct rig_udp *u)
{
	u->key.data = gnutls_malloc(32);
	u->key.size = 32;
	must(gnutls_prf_rfc5705(r->tls, 24, "EXPORTER-openconnect-psk", 0, NULL, 32,
				(char *)u->key.data) >= 0,
	     "exporter");
	gnutls_psk_allocate_client_credentials(&u->psk);
	gnutls_psk_set_client_credentials(u->psk, "psk", &u->key, GNUTLS_PSK_KEY_RAW);
	gnutls_credentials_set(u->s, GNUTLS_CRD_PSK, u->psk);
	gnutls_datum_t id = { r->id, sizeof r->id };
	must(gnutls_priority_set_direct(
		     u->s, "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:%NO_SESSION_HASH", NULL) >=
			     0 &&
		     gnutls_session_set_id(u->s, &id) >= 0,
	     "psk client");
}

/* As openconnect does it: a session is made up from the suite and the secret. */
static void use_legacy(struct rig *r, struct rig_udp *u)
{
	const struct dtls_choice *c = &r->opt.legacy;
	bool old = c->version == SUITE_DTLS_0_9;
	bool ec = c->kx == SUITE_ECDHE_RSA;
	gnutls_datum_t id = { r->id, sizeof r->id }, master = { r->master, sizeof r->master };
	gnutls_cipher_algorithm_t cipher = old ? GNUTLS_CIPHER_AES_128_CBC
					   : c->cipher == SUITE_AES_256_GCM
						   ? GNUTLS_CIPHER_AES_256_GCM
						   : GNUTLS_CIPHER_AES_128_GCM;
	char prio[256];
	snprintf(prio, sizeof prio,
		 "NONE:+VERS-DTLS%s:+COMP-NULL:+%s:+%s:+RSA:%s:+SIGN-ALL:%%COMPAT:"
		 "%%DISABLE_SAFE_RENEGOTIATION",
		 old ? "0.9" : "1.2", gnutls_cipher_get_name(cipher), old ? "SHA1" : "AEAD",
		 ec ? "+ECDHE-RSA:+GROUP-ALL" : "+RSA");
	must(gnutls_priority_set_direct(u->s, prio, NULL) >= 0, "legacy priority");
	must(gnutls_session_set_premaster(
		     u->s, GNUTLS_CLIENT, old ? GNUTLS_DTLS0_9 : GNUTLS_DTLS1_2,
		     ec ? GNUTLS_KX_ECDHE_RSA : GNUTLS_KX_RSA, cipher,
		     old ? GNUTLS_MAC_SHA1 : GNUTLS_MAC_AEAD, GNUTLS_COMP_NULL, &master, &id) >= 0,
	     "premaster");
	gnutls_certificate_allocate_credentials(&u->cert);
	gnutls_credentials_set(u->s, GNUTLS_CRD_CERTIFICATE, u->cert);
}

void rig_udp_init(struct rig *r, struct rig_udp *u)
{
	memset(u, 0, sizeof *u);
	u->rig = r;
	new_socket(u);
	gnutls_init(&u->s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK);
	if (r->opt.mode == DTLS_PSK)
		use_psk(r, u);
	else
		use_legacy(r, u);
	gnutls_transport_set_ptr(u->s, u);
	gnutls_transport_set_push_function(u->s, udp_push);
	gnutls_transport_set_pull_function(u->s, udp_pull);
	gnutls_transport_set_pull_timeout_function(u->s, udp_pull_timeout);
	gnutls_dtls_set_mtu(u->s, 1472);
}

bool rig_udp_handshake(struct rig_udp *u)
{
	int ret = GNUTLS_E_AGAIN;
	for (int i = 0; i < 400 && ret != 0; i++) {
		ret = gnutls_handshake(u->s);
		rig_run(u->rig);
		if (ret && gnutls_error_is_fatal(ret))
			return false;
		if (ret)
			usleep(200);
	}
	return ret == 0;
}

bool rig_udp_connect(struct rig *r, struct rig_udp *u)
{
	rig_udp_init(r, u);
	return rig_udp_handshake(u);
}

void rig_udp_deinit(struct rig_udp *u)
{
	gnutls_deinit(u->s);
	if (u->psk)
		gnutls_psk_free_client_credentials(u->psk);
	if (u->cert)
		gnutls_certificate_free_credentials(u->cert);
	gnutls_free(u->key.data);
	close(u->fd);
}

void rig_udp_rebind(struct rig_udp *u)
{
	int old = u->fd;
	new_socket(u);
	close(old);
}

void rig_udp_send(struct rig_udp *u, const void *frame, size_t len)
{
	ssize_t k = gnutls_record_send(u->s, frame, len);
	must(k == (ssize_t)len, "udp client send");
	rig_run(u->rig);
}

int rig_udp_recv(struct rig_udp *u, uint8_t *frame, size_t cap)
{
	ssize_t k = GNUTLS_E_AGAIN;
	for (int i = 0; i < 50 && k == GNUTLS_E_AGAIN; i++) {
		rig_run(u->rig);
		k = gnutls_record_recv(u->s, frame, cap);
		if (k == GNUTLS_E_AGAIN)
			usleep(200);
	}
	return k > 0 ? (int)k : -1;
}
