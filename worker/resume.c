/* resume.c - session tickets.
 *
 * GnuTLS opens and seals tickets with a key that is given to it once.  A client that offers a
 * ticket costs a question to auth before GnuTLS looks at it; for all others the key comes together
 * with the signature that a full handshake needs anyway.
 *
 * GnuTLS 3.7 restores the client certificate that a ticket contains before it knows that the ticket
 * is good for this handshake, and in TLS 1.3 takes even tickets of TLS 1.2, for which the client
 * proves nothing.  So there are no tickets on hosts that ask for certificates, and it never gets to
 * see a ticket of another version than the handshake's. */
#include "worker/resume.h"

#include <string.h>

#include "base/secret.h"
#include "conf/auth_rules.h"
#include "worker/io.h"

enum {
	KEY_LEN = 64,  /* bytes */
	TOO_SHORT = 1, /* seconds; a lifetime in which nobody comes back */
};

/* ---- keys ---- */

/* GnuTLS takes another key until it has used one. */
static bool enable(struct worker *w, const uint8_t key[KEY_LEN], uint32_t lifetime)
{
	const gnutls_datum_t datum = { (uint8_t *)(uintptr_t)key, KEY_LEN };

	if (gnutls_session_ticket_enable_server(w->tls, &datum) < 0)
		return false;
	gnutls_db_set_cache_expiration(w->tls, (int)lifetime);
	return true;
}

/* Without any key GnuTLS would promise no ticket.  Those of this one nobody can open; a client of
 * TLS 1.2 gets one if no other key comes. */
static bool enable_nobodys(struct worker *w)
{
	uint8_t key[KEY_LEN];

	secret_random(key, sizeof key);
	w->resume.enabled = enable(w, key, TOO_SHORT);
	secret_wipe(key, sizeof key);
	return w->resume.enabled;
}

void resume_take(struct worker *w, const TicketKey *key)
{
	if (!key || !key->key.len)
		return;
	if (key->key.len == KEY_LEN && key->lifetime && key->lifetime <= INT32_MAX &&
	    enable(w, key->key.data, key->lifetime)) {
		w->resume.real = true;
		w->resume.chain = key->chain;
	}
	secret_wipe(key->key.data, key->key.len);
}

/* The key of the ticket, or that for new ones. */
static int ask_key(struct worker *w)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	TicketFind find = TICKET_FIND__INIT;
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	find.vhost = (char *)(uintptr_t)w->vhost->host->name; /* only read */
	find.generation = w->image->generation;
	find.name = (ProtobufCBinaryData){ sizeof w->hello.ticket, w->hello.ticket };
	msg.msg_case = TO_AUTH__MSG_TICKET_FIND;
	msg.ticket_find = &find;
	err = tmp ? io_call(w, tmp, &msg, &answer) : ERR_NOMEM;
	if (!err)
		resume_take(w, answer->ticket_key);
	w->resume.asked = true;
	talloc_free(tmp);
	return err ? GNUTLS_E_INTERNAL_ERROR : 0;
}

/* GnuTLS forgets this word of the priorities when it is given a key. */
static bool wants_none(const char *priorities)
{
	static const char word[] = "%NO_TICKETS";
	const char *at = priorities;

	/* There is %NO_TICKETS_TLS12, too. */
	while ((at = strstr(at, word))) {
		at += sizeof word - 1;
		if (*at == '\0' || *at == ':')
			return true;
	}
	return false;
}

int resume_on_hello(struct worker *w, const struct vhost *before)
{
	struct worker_resume *r = &w->resume;
	bool tls13 = gnutls_protocol_get_version(w->tls) == GNUTLS_TLS1_3;

	/* After HelloRetryRequest a client may change little (RFC 8446 4.1.2), and not what the key
	 * is for. */
	if (r->asked && (w->vhost != before || w->hello.offers & HELLO_TLS12))
		return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	r->possible = conf_cert_policy(w->vhost->host) == CONF_CERT_NONE &&
		      !wants_none(w->vhost->priority_text);
	if (!r->possible || r->asked)
		return 0;
	if (!r->enabled && !enable_nobodys(w))
		return GNUTLS_E_INTERNAL_ERROR;
	return w->hello.offers == (tls13 ? HELLO_TLS13 : HELLO_TLS12) ? ask_key(w) : 0;
}

const char *resume_wants(struct worker *w, uint32_t chain)
{
	if (w->state == WORKER_TUNNEL)
		return NULL;
	/* The ticket was too old, and this is a full handshake with another certificate than that
	 * which the key stands for: new tickets of it must not be used. */
	if (w->resume.asked && w->resume.chain != chain)
		gnutls_db_set_cache_expiration(w->tls, TOO_SHORT);
	/* A ticket of the wrong version was tried with nobody's key, so that key stays. */
	return w->resume.possible && !w->resume.asked && !w->hello.offers ? w->vhost->host->name
									  : NULL;
}

/* ---- the end of the handshake ---- */

enum err resume_check(struct worker *w)
{
	if (!gnutls_session_is_resumed(w->tls))
		return ERR_OK;
	if (!w->resume.asked || !w->resume.possible) {
		log_warn(&w->log, "tls-resumption-refused");
		return ERR_TLS;
	}
	w->resume.resumed = true;
	log_debug(&w->log, "tls-resumed", kv_u64("chain", w->resume.chain));
	return ERR_OK;
}

bool resume_send(struct worker *w)
{
	/* One is enough: clients of a VPN do not open several connections at once.  Errors show
	 * when the connection is used. */
	return w->resume.real && gnutls_protocol_get_version(w->tls) == GNUTLS_TLS1_3 &&
	       gnutls_session_ticket_send(w->tls, 1, 0) == GNUTLS_E_AGAIN;
}

const gnutls_datum_t *resume_certificate(const struct worker *w)
{
	if (w->resume.resumed)
		return image_leaf(w->image, w->vhost, w->resume.chain);
	return gnutls_certificate_get_ours(w->tls);
}
