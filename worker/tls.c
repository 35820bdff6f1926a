/* tls.c - handshake and records of the login phase. */
#include "worker/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/crypto.h>

#include "base/clock.h"
#include "worker/client_cert.h"
#include "worker/io.h"
#include "worker/proxy.h"
#include "worker/resume.h"

enum { HANDSHAKE_MS = 40 * 1000, SNI_MAX = 256, SHA1_LEN = 20 };

/* ---- what was negotiated ---- */

enum suite_cipher tls_suite_cipher(gnutls_cipher_algorithm_t cipher)
{
	switch (cipher) {
	case GNUTLS_CIPHER_AES_128_CBC:
		return SUITE_AES_128_CBC;
	case GNUTLS_CIPHER_AES_256_CBC:
		return SUITE_AES_256_CBC;
	case GNUTLS_CIPHER_3DES_CBC:
		return SUITE_3DES_CBC;
	case GNUTLS_CIPHER_AES_128_GCM:
		return SUITE_AES_128_GCM;
	case GNUTLS_CIPHER_AES_256_GCM:
		return SUITE_AES_256_GCM;
	case GNUTLS_CIPHER_AES_128_CCM:
		return SUITE_AES_128_CCM;
	case GNUTLS_CIPHER_AES_256_CCM:
		return SUITE_AES_256_CCM;
	case GNUTLS_CIPHER_AES_128_CCM_8:
	case GNUTLS_CIPHER_AES_256_CCM_8:
		return SUITE_AES_CCM_8;
	case GNUTLS_CIPHER_CHACHA20_POLY1305:
		return SUITE_CHACHA20_POLY1305;
	default:
		return SUITE_CIPHER_UNKNOWN;
	}
}

enum suite_mac tls_suite_mac(gnutls_mac_algorithm_t mac)
{
	switch (mac) {
	case GNUTLS_MAC_SHA1:
		return SUITE_SHA1;
	case GNUTLS_MAC_SHA256:
		return SUITE_SHA256;
	case GNUTLS_MAC_SHA384:
		return SUITE_SHA384;
	default:
		return SUITE_AEAD;
	}
}

/* The hash clients compare with the certificate they saw (protocol.md 2.4). */
static void hash_certificate(const struct worker *w, char text[2 * SHA1_LEN + 1])
{
	const gnutls_datum_t *cert = resume_certificate(w);
	uint8_t hash[SHA1_LEN];

	text[0] = '\0';
	if (!cert || gnutls_hash_fast(GNUTLS_DIG_SHA1, cert->data, cert->size, hash) < 0)
		return;
	for (size_t i = 0; i < SHA1_LEN; i++) {
		static const char digits[] = "0123456789ABCDEF";
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 15];
	}
	text[2 * SHA1_LEN] = '\0';
}

static uint32_t path_mtu(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_pmtu : 0;
}

static void note_session(struct worker *w)
{
	char *desc = gnutls_session_get_desc(w->tls);

	w->facts.tls_cipher = desc ? talloc_strdup(w, desc) : NULL;
	gnutls_free(desc);
	w->peer = (struct http_peer){
		.tls13 = gnutls_protocol_get_version(w->tls) == GNUTLS_TLS1_3,
		.safe_renegotiation = gnutls_safe_renegotiation_status(w->tls) != 0,
		.cipher = tls_suite_cipher(gnutls_cipher_get(w->tls)),
		.mac = tls_suite_mac(gnutls_mac_get(w->tls)),
		/* The proxy's way to us says nothing of the one that datagrams take. */
		.path_mtu = w->proxy ? 0 : path_mtu(w->client),
		.outer_v6 = w->remote.addr.family == AF_INET6,
		.no_dtls_psk =
			!w->vhost->host->match_tls_dtls_ciphers && !w->vhost->dtls_priorities,
	};
	hash_certificate(w, w->peer.cert_sha1);
}

/* ---- handshake ---- */

/* protocol.md 2.5: the name decides before anything of a host is used. */
static int on_client_hello(gnutls_session_t tls)
{
	struct worker *w = gnutls_session_get_ptr(tls);
	const struct vhost *before = w->vhost;
	char name[SNI_MAX] = "";
	size_t len = sizeof name;
	unsigned type = 0;
	bool named =
		gnutls_server_name_get(tls, name, &len, &type, 0) == 0 && type == GNUTLS_NAME_DNS;

	/* A renegotiation names no other host. */
	if (w->state == WORKER_TUNNEL)
		return 0;
	w->vhost = image_vhost(w->image, named ? name : NULL);
	w->log.vhost = w->vhost->host->name;
	if (named && w->vhost == &w->image->vhost[0] && w->image->conf->n_hosts > 1) {
		char *text = talloc_asprintf(
			w, "client requested hostname %s does not match known vhost", name);
		log_info(&w->log, "sni-unknown", kv_text(text ? text : ""));
		talloc_free(text);
	}
	client_cert_ask(w);
	/* After HelloRetryRequest there is a second hello, which may have another name: what the
	 * session has is always that of the newest host, authorities included. */
	if (gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, image_cred(w->image, w->vhost)) <
		    0 ||
	    gnutls_priority_set(tls, w->vhost->priorities) < 0)
		return GNUTLS_E_INTERNAL_ERROR;
	return resume_on_hello(w, before);
}

/* protocol.md 2.3: one of these is chosen when offered; others are as if not there. */
static int offer_alpn(gnutls_session_t tls, const struct conf *conf)
{
	static unsigned char http[] = "http/1.1", vpn[] = "openconnect-vpn/1.1";
	const gnutls_datum_t protocols[] = { { http, sizeof http - 1 }, { vpn, sizeof vpn - 1 } };
	unsigned n = 2;

	/* Which host it is going to be is not known yet; one that hides does not name the VPN. */
	for (size_t i = 0; i < conf->n_hosts; i++)
		if (conf->host[i]->camouflage)
			n = 1;
	return gnutls_alpn_set_protocols(tls, protocols, n, 0);
}

/* A hello, before GnuTLS looks at it.  The host's priorities have to be there when the version is
 * chosen: what has been done for another one does not come undone. */
static int on_raw_hello(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
			const gnutls_datum_t *msg)
{
	struct worker *w = gnutls_session_get_ptr(tls);
	const struct vhost *v;

	(void)type;
	(void)when;
	if (!incoming || w->state == WORKER_TUNNEL)
		return 0;
	hello_read(msg, &w->hello);
	v = image_vhost(w->image, w->hello.name[0] ? w->hello.name : NULL);
	return gnutls_priority_set(tls, v->priorities) < 0 ? GNUTLS_E_INTERNAL_ERROR : 0;
}

static enum err init_session(struct worker *w)
{
	unsigned flags =
		GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET;

	w->vhost = &w->image->vhost[0];
	if (gnutls_init(&w->tls, flags) < 0)
		return ERR_NOMEM;
	gnutls_session_set_ptr(w->tls, w);
	gnutls_transport_set_int(w->tls, w->client);
	gnutls_handshake_set_timeout(w->tls, GNUTLS_INDEFINITE_TIMEOUT); /* io.c keeps time */
	gnutls_handshake_set_post_client_hello_function(w->tls, on_client_hello);
	gnutls_handshake_set_hook_function(w->tls, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE,
					   on_raw_hello);
	client_cert_init(w);
	if (offer_alpn(w->tls, w->image->conf) < 0 ||
	    gnutls_priority_set(w->tls, w->vhost->priorities) < 0 ||
	    gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, image_cred(w->image, w->vhost)) <
		    0)
		return ERR_TLS;
	return ERR_OK;
}

/* Waits for what GnuTLS lacks. */
static enum err wait_for(struct worker *w)
{
	return io_wait_client(w, gnutls_record_get_direction(w->tls) ? POLLOUT : POLLIN);
}

/* Bytes that no TLS client sends; not one that merely offers nothing we accept. */
static bool is_garbage(int r)
{
	return r == GNUTLS_E_UNEXPECTED_PACKET || r == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
	       r == GNUTLS_E_RECORD_OVERFLOW || r == GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET ||
	       r == GNUTLS_E_DECRYPTION_FAILED;
}

static enum err handshake(struct worker *w)
{
	for (;;) {
		int r = gnutls_handshake(w->tls);
		enum err err;
		if (r == 0)
			return ERR_OK;
		if (w->ending.set)
			return ERR_STATE;
		if (gnutls_error_is_fatal(r)) {
			log_info(&w->log, "tls-handshake-failed",
				 kv_str("reason", gnutls_strerror(r)));
			(void)gnutls_alert_send_appropriate(w->tls, r);
			w->abuse = is_garbage(r);
			return ERR_TLS;
		}
		if (r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED)
			continue; /* a warning alert, most likely an unknown name */
		err = wait_for(w);
		if (err)
			return err;
	}
}

/* protocol.md 2.1: a load balancer looks whether we are there. */
static enum err wait_first_byte(struct worker *w)
{
	enum err err = io_wait_client(w, POLLIN);
	char c;

	if (err)
		return err;
	return recv(w->client, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ? ERR_OK : ERR_NOT_FOUND;
}

/* The client's last handshake message has no answer of ours that would carry its acknowledgement,
 * and a client that leaves TCP to collect small writes holds its request back until that comes: a
 * delay of 40 ms in every TLS 1.3 login. */
static void acknowledge(const struct worker *w)
{
	int one = 1;

	(void)setsockopt(w->client, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

static enum err send_ticket(struct worker *w)
{
	enum err err = ERR_OK;

	while (!err && resume_send(w))
		err = io_wait_client(w, POLLOUT);
	return err;
}

enum err tls_accept(struct worker *w)
{
	uint64_t login_deadline = w->deadline, limit = clock_ms() + HANDSHAKE_MS;
	enum err err;

	if (limit < w->deadline)
		w->deadline = limit;
	err = proxy_accept(w);
	if (!err)
		err = wait_first_byte(w);
	if (!err)
		err = init_session(w);
	if (!err)
		err = handshake(w);
	if (!err)
		err = resume_check(w);
	if (!err)
		err = send_ticket(w);
	if (!err) {
		acknowledge(w);
		note_session(w);
		client_cert_read(w);
	}
	w->deadline = login_deadline;
	return err;
}

/* ---- records ---- */

enum err tls_read(struct worker *w, void *data, size_t cap, size_t *len)
{
	for (;;) {
		ssize_t n = gnutls_record_recv(w->tls, data, cap);
		enum err err;
		if (n > 0) {
			*len = (size_t)n;
			w->heard = true;
			return ERR_OK;
		}
		if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
			return ERR_CLOSED;
		if (n == GNUTLS_E_REHANDSHAKE)
			return ERR_PROTO;
		if (gnutls_error_is_fatal((int)n))
			return ERR_CLOSED;
		err = n == GNUTLS_E_AGAIN ? wait_for(w) : ERR_OK;
		if (err)
			return err;
	}
}

bool tls_has_more(struct worker *w)
{
	char c;

	/* The end of the stream does not count: a client may say all, close and then listen. */
	return gnutls_record_recv(w->tls, &c, 1) > 0;
}

enum err tls_write(struct worker *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = gnutls_record_send(w->tls, p, len);
		enum err err;
		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (gnutls_error_is_fatal((int)n))
			return ERR_CLOSED;
		err = n == GNUTLS_E_AGAIN ? io_wait_client(w, POLLOUT) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

void tls_goodbye(struct worker *w, bool denied)
{
	if (denied)
		(void)gnutls_alert_send(w->tls, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
	else
		(void)gnutls_bye(w->tls, GNUTLS_SHUT_WR);
	(void)shutdown(w->client, SHUT_WR);
}

/* ---- DTLS ---- */

char *tls_dtls_priorities(TALLOC_CTX *ctx, const struct worker *w)
{
	const struct vhost *v = w->vhost;

	if (!v->host->match_tls_dtls_ciphers)
		return talloc_strdup(ctx, v->dtls_priorities ? v->dtls_priorities : "");
	return talloc_asprintf(ctx, "%s" IMAGE_DTLS_PSK ":-CIPHER-ALL:-MAC-ALL:+%s:+%s",
			       v->priority_text, gnutls_cipher_get_name(gnutls_cipher_get(w->tls)),
			       gnutls_mac_get_name(gnutls_mac_get(w->tls)));
}
