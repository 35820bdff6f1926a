/* ldap_tls.c - GnuTLS below libldap. */
#include "auth/backend/ldap_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "auth/backend/ldap_net.h"
#include "base/addr.h"

struct ldap_tls {
	int fd;
	uint64_t until;
	gnutls_certificate_credentials_t cred;
	gnutls_session_t session;
};

static int tls_destroy(struct ldap_tls *t)
{
	if (t->session)
		gnutls_deinit(t->session);
	if (t->cred)
		gnutls_certificate_free_credentials(t->cred);
	return 0;
}

/* ---- the handshake -------------------------------------------------------- */

/* Those of the file alone, or of the system.  Negative: GnuTLS's error. */
static int load_authorities(struct ldap_tls *t, const char *ca)
{
	int n = gnutls_certificate_allocate_credentials(&t->cred);

	if (n < 0)
		return n;
	n = ca ? gnutls_certificate_set_x509_trust_file(t->cred, ca, GNUTLS_X509_FMT_PEM)
	       : gnutls_certificate_set_x509_system_trust(t->cred);
	/* An empty list would refuse everybody, but for another reason than the true one. */
	return n ? n : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

static int make_session(struct ldap_tls *t, const char *host)
{
	struct addr address;
	int n = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (n >= 0)
		n = gnutls_priority_set_direct(t->session,
					       "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL);
	if (n >= 0)
		n = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->cred);
	if (n >= 0 && addr_parse(host, &address))
		n = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, host, strlen(host));
	if (n < 0)
		return n;
	gnutls_transport_set_int(t->session, t->fd);
	return 0;
}

/* Waits for what the session waits for. */
static enum err wait_for(const struct ldap_tls *t)
{
	short events = gnutls_record_get_direction(t->session) ? POLLOUT : POLLIN;

	return ldap_net_wait(t->fd, events, t->until);
}

static bool wants_more(ssize_t n)
{
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
}

/* The library's sentences for what the certificate lacks, or for the error N. */
static const char *describe(TALLOC_CTX *ctx, const struct ldap_tls *t, int n)
{
	unsigned status = gnutls_session_get_verify_cert_status(t->session);
	gnutls_datum_t text = { .size = 0 };
	const char *copy = NULL;

	if (n == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
	    !gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0))
		copy = talloc_strndup(ctx, (const char *)text.data, text.size);
	gnutls_free(text.data);
	return copy ? copy : talloc_strdup(ctx, gnutls_strerror(n));
}

static enum err shake_hands(TALLOC_CTX *ctx, struct ldap_tls *t, const char *host, const char **why)
{
	/* RFC 4513 3.1.3, and the purpose, so that no user's certificate makes a server. */
	gnutls_typed_vdata_st wanted[] = {
		{ .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)host },
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID,
		  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER },
	};
	int n;

	gnutls_session_set_verify_cert2(t->session, wanted, 2, 0);
	while (wants_more(n = gnutls_handshake(t->session))) {
		if (wait_for(t)) {
			*why = talloc_strdup(ctx, "no answer to the TLS handshake");
			return ERR_TIMEOUT;
		}
	}
	if (n >= 0)
		return ERR_OK;
	*why = describe(ctx, t, n);
	return ERR_TLS;
}

enum err ldap_tls_start(TALLOC_CTX *ctx, int fd, const char *host, const char *ca, uint64_t until,
			struct ldap_tls **out, const char **why)
{
	struct ldap_tls *t = talloc_zero(ctx, struct ldap_tls);
	enum err err = ERR_TLS;
	int n;

	if (!t)
		return ERR_NOMEM;
	t->fd = fd;
	t->until = until;
	talloc_set_destructor(t, tls_destroy);
	n = load_authorities(t, ca);
	if (n < 0) {
		*why = talloc_asprintf(ctx, "the authorities of %s: %s", ca ? ca : "the system",
				       gnutls_strerror(n));
	} else if ((n = make_session(t, host)) < 0) {
		*why = talloc_strdup(ctx, gnutls_strerror(n));
	} else {
		err = shake_hands(ctx, t, host, why);
	}
	if (err)
		talloc_free(t);
	else
		*out = t;
	return err;
}

/* ---- the layer ------------------------------------------------------------ */

static int layer_setup(Sockbuf_IO_Desc *layer, void *arg)
{
	layer->sbiod_pvt = arg;
	return 0;
}

static int layer_remove(Sockbuf_IO_Desc *layer)
{
	layer->sbiod_pvt = NULL;
	return 0;
}

/* Records that were read but not asked for yet make no socket readable. */
static int layer_ctrl(Sockbuf_IO_Desc *layer, int opt, void *arg)
{
	const struct ldap_tls *t = layer->sbiod_pvt;

	if (opt == LBER_SB_OPT_DATA_READY && gnutls_record_check_pending(t->session))
		return 1;
	return LBER_SBIOD_CTRL_NEXT(layer, opt, arg);
}

/* libldap waits by itself, so an empty socket is told. */
static ber_slen_t layer_read(Sockbuf_IO_Desc *layer, void *buf, ber_len_t len)
{
	const struct ldap_tls *t = layer->sbiod_pvt;
	ssize_t n = gnutls_record_recv(t->session, buf, len);

	if (n >= 0)
		return n;
	errno = wants_more(n) ? EAGAIN : EIO;
	return -1;
}

/* It does not expect to wait for writing. */
static ber_slen_t layer_write(Sockbuf_IO_Desc *layer, void *buf, ber_len_t len)
{
	const struct ldap_tls *t = layer->sbiod_pvt;
	ssize_t n;

	while (wants_more(n = gnutls_record_send(t->session, buf, len)))
		if (wait_for(t))
			break;
	if (n >= 0)
		return n;
	errno = EIO;
	return -1;
}

static int layer_close(Sockbuf_IO_Desc *layer)
{
	const struct ldap_tls *t = layer->sbiod_pvt;

	/* Does not wait: who closes wants to be gone. */
	(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
	return 0;
}

enum err ldap_tls_install(struct ldap_tls *t, Sockbuf *sb)
{
	/* The library keeps a pointer to it, and reads only. */
	static const Sockbuf_IO layer = {
		.sbi_setup = layer_setup,
		.sbi_remove = layer_remove,
		.sbi_ctrl = layer_ctrl,
		.sbi_read = layer_read,
		.sbi_write = layer_write,
		.sbi_close = layer_close,
	};

	return ber_sockbuf_add_io(sb, (Sockbuf_IO *)(uintptr_t)&layer, LBER_SBIOD_LEVEL_TRANSPORT,
				  t)
		       ? ERR_NOMEM
		       : ERR_OK;
}
