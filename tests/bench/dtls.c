/* dtls.c - a DTLS handshake with the key that the TLS session exports.  Used by vpnload. */
#include "tests/bench/dtls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/dtls.h>

#include "base/clock.h"
#include "base/secret.h"

enum {
	PSK_LEN = 32,
	RETRANSMIT_MS = 400,
	PATIENCE_MS = 12000,
	OVERHEAD = 128,		   /* of a record, at most, and the type byte */
	SOCKBUF = 4 * 1024 * 1024, /* a burst must not be lost here: the server is measured */
};

static int dtls_deinit(struct dtls *d)
{
	if (d->s)
		gnutls_deinit(d->s);
	if (d->cred)
		gnutls_psk_free_client_credentials(d->cred);
	if (d->fd >= 0)
		close(d->fd);
	return 0;
}

static enum err open_socket(struct dtls *d, const struct login *l, uint16_t port)
{
	struct endpoint to = { .addr = l->server.addr, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&to, &ss);
	const int size = SOCKBUF;
	d->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0 || connect(d->fd, (struct sockaddr *)&ss, len))
		return ERR_SYS;
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	(void)setsockopt(d->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	return ERR_OK;
}

static int set_key(struct dtls *d, gnutls_session_t tls)
{
	static const char label[] = "EXPORTER-openconnect-psk";
	uint8_t key[PSK_LEN];
	gnutls_datum_t datum = { key, sizeof key };
	int ret =
		gnutls_prf_rfc5705(tls, sizeof label - 1, label, 0, NULL, sizeof key, (char *)key);
	if (ret >= 0)
		ret = gnutls_psk_allocate_client_credentials(&d->cred);
	if (ret >= 0)
		ret = gnutls_psk_set_client_credentials(d->cred, "psk", &datum, GNUTLS_PSK_KEY_RAW);
	if (ret >= 0)
		ret = gnutls_credentials_set(d->s, GNUTLS_CRD_PSK, d->cred);
	secret_wipe(key, sizeof key);
	return ret;
}

static int set_up(struct dtls *d, const struct login *l, const struct login_grant *grant)
{
	gnutls_datum_t id = { (void *)grant->app_id, (unsigned)grant->app_id_len };
	int ret = gnutls_init(&d->s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK);
	if (ret >= 0)
		ret = gnutls_priority_set_direct(
			d->s, "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK", NULL);
	if (ret >= 0)
		ret = set_key(d, l->tls);
	if (ret >= 0)
		ret = gnutls_session_set_id(d->s, &id);
	if (ret < 0)
		return ret;
	gnutls_transport_set_int(d->s, d->fd);
	gnutls_dtls_set_timeouts(d->s, RETRANSMIT_MS, PATIENCE_MS);
	gnutls_dtls_set_mtu(d->s, grant->mtu + OVERHEAD);
	return 0;
}

static int shake_hands(struct dtls *d)
{
	uint64_t end = clock_ms() + PATIENCE_MS;
	for (;;) {
		int ret = gnutls_handshake(d->s);
		if (ret >= 0 || gnutls_error_is_fatal(ret))
			return ret;
		if (clock_ms() > end)
			return GNUTLS_E_TIMEDOUT;
		struct pollfd p = { .fd = d->fd, .events = POLLIN };
		unsigned ms = gnutls_dtls_get_timeout(d->s);
		(void)poll(&p, 1, ms ? (int)ms : RETRANSMIT_MS);
	}
}

enum err dtls_new(TALLOC_CTX *ctx, struct login *l, const struct login_grant *grant,
		  struct dtls **out)
{
	struct dtls *d = talloc_zero(ctx, struct dtls);
	if (!d)
		return ERR_NOMEM;
	d->fd = -1;
	talloc_set_destructor(d, dtls_deinit);
	enum err err = open_socket(d, l, grant->udp_port);
	if (err) {
		(void)snprintf(l->why, sizeof l->why, "UDP: %s", strerror(errno));
		talloc_free(d);
		return err;
	}
	int ret = set_up(d, l, grant);
	if (ret >= 0)
		ret = shake_hands(d);
	if (ret < 0) {
		(void)snprintf(l->why, sizeof l->why, "DTLS handshake: %s", gnutls_strerror(ret));
		talloc_free(d);
		return ERR_TLS;
	}
	*out = d;
	return ERR_OK;
}
