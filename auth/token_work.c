/* token_work.c - the process that uses tokens, from inside: one request after the other, each of
 * which may block. */
#include <errno.h>
#include <poll.h>

#include "auth/chain.h"
#include "auth/material.h"
#include "auth/privkey.h"
#include "auth/tokens.h"
#include "base/secret.h"
#include "ipc/msg.h"

enum { KEYS_MAX = 1024, BLOB_MAX = 64 * 1024 };

struct held {
	gnutls_privkey_t priv;
	struct privkey_pins pins;
	struct privkey_asked asked; /* modules may ask again when a session was lost */
};

struct token {
	int channel;
	struct held *held[KEYS_MAX];
	size_t n;
};

static enum err reply(const struct token *t, FromToken__MsgCase kind, void *field)
{
	FromToken top = FROM_TOKEN__INIT;
	struct pollfd wait = { .fd = t->channel, .events = POLLOUT };
	enum err err;

	top.msg_case = kind;
	top.opened = field; /* all members of the union are pointers to messages */
	while ((err = ipc_send(t->channel, &top.base, NULL, 0)) == ERR_AGAIN)
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return ERR_SYS;
	return err;
}

/* ---- loading ---- */

static enum err load_key(TALLOC_CTX *tmp, struct held *h, const char *name, TokenOpened *msg)
{
	struct privkey_fault fault = { NULL, false };
	gnutls_datum_t file = { NULL, 0 };
	bool url = privkey_is_foreign(name, NULL);
	enum err err = url ? ERR_OK : material_read(tmp, name, BLOB_MAX, &file);

	if (!err)
		err = privkey_load(tmp, name, url ? NULL : &file, &h->asked, &h->priv, &fault);
	if (err)
		msg->key_fault = fault.text ? fault.text : (char *)(uintptr_t)err_text(err);
	msg->pin_refused = fault.pin_refused;
	return err;
}

static enum err load_cert(TALLOC_CTX *tmp, const struct held *h, const char *url, TokenOpened *msg)
{
	struct chain chain;
	const char *why = "";
	enum err err = chain_from_url(url, h->pins.key, &chain, &why);

	if (err) {
		msg->cert_fault = (char *)(uintptr_t)why;
		return err;
	}
	err = chain_to_der(tmp, &chain, &msg->der, &msg->n_der);
	chain_free(&chain);
	return err;
}

/* The PIN must last as long as the key. */
static enum err add(TALLOC_CTX *ctx, struct token *t, const TokenOpen *ask, struct held **out)
{
	struct held *h = t->n < KEYS_MAX ? talloc_zero(ctx, struct held) : NULL;
	char *pin = h ? talloc_strdup(h, ask->pin) : NULL;
	char *srk = h ? talloc_strdup(h, ask->srk_pin) : NULL;

	if (!pin || !srk)
		return ERR_NOMEM;
	secret_mark(pin);
	secret_mark(srk);
	h->pins = (struct privkey_pins){ ask->has_pin ? pin : NULL, ask->has_srk_pin ? srk : NULL };
	h->asked.pins = &h->pins;
	t->held[t->n++] = h;
	*out = h;
	return ERR_OK;
}

static enum err on_open(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct token *t, const TokenOpen *ask)
{
	TokenOpened msg = TOKEN_OPENED__INIT;
	uint8_t id[KEY_ID];
	struct held *h;
	enum err err = add(ctx, t, ask, &h), err_cert = ERR_OK;

	if (err)
		return err;
	/* The key first: after a wrong PIN nothing else is tried. */
	if (*ask->key)
		err = load_key(tmp, h, ask->key, &msg);
	if (*ask->cert && !msg.pin_refused)
		err_cert = load_cert(tmp, h, ask->cert, &msg);
	if (!err && *ask->key && !privkey_id(h->priv, id))
		msg.key_id = (ProtobufCBinaryData){ sizeof id, id };
	msg.id = ask->id;
	msg.ok = !err && !err_cert;
	return reply(t, FROM_TOKEN__MSG_OPENED, &msg);
}

/* ---- signing ---- */

/* What only opening the token again can mend; the next process does. */
static bool is_lost(int ret)
{
	return ret == GNUTLS_E_PKCS11_SESSION_ERROR || ret == GNUTLS_E_PKCS11_DEVICE_ERROR ||
	       ret == GNUTLS_E_PKCS11_TOKEN_ERROR || ret == GNUTLS_E_PKCS11_SLOT_ERROR ||
	       ret == GNUTLS_E_PKCS11_USER_ERROR;
}

static enum err on_sign(TALLOC_CTX *tmp, const struct token *t, const TokenSign *ask)
{
	TokenSigned msg = TOKEN_SIGNED__INIT;
	const Sign *sign = ask->sign;
	int why = GNUTLS_E_INVALID_REQUEST;
	enum err err = ERR_RANGE;

	if (sign && sign->key < t->n && t->held[sign->key]->priv)
		err = privkey_use(tmp, t->held[sign->key]->priv, sign, &msg.data.data,
				  &msg.data.len, &why);
	msg.id = ask->id;
	msg.ok = !err;
	if (err)
		msg.fault = (char *)(uintptr_t)gnutls_strerror(why);
	err = reply(t, FROM_TOKEN__MSG_SIGNED, &msg);
	return err ? err : is_lost(why) ? ERR_CLOSED : ERR_OK;
}

static enum err one(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct token *t)
{
	struct pollfd wait = { .fd = t->channel, .events = POLLIN };
	ProtobufCMessage *top;
	const ToToken *msg;
	struct ipc_fds fds;
	enum err err;

	while ((err = ipc_recv(tmp, t->channel, &to_token__descriptor, &top, &fds)) == ERR_AGAIN)
		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return ERR_SYS;
	if (err)
		return err;
	ipc_fds_close(&fds);
	msg = (const ToToken *)(const void *)top;
	if (msg->msg_case == TO_TOKEN__MSG_OPEN)
		return on_open(ctx, tmp, t, msg->open);
	return msg->msg_case == TO_TOKEN__MSG_SIGN ? on_sign(tmp, t, msg->sign) : ERR_PROTO;
}

int token_work(int channel)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct token *t = talloc_zero(ctx, struct token);
	enum err err = t ? ERR_OK : ERR_NOMEM;

	while (!err) {
		TALLOC_CTX *tmp = talloc_new(NULL);

		t->channel = channel;
		err = one(ctx, tmp, t);
		talloc_free(tmp);
	}
	for (size_t i = 0; t && i < t->n; i++)
		if (t->held[i]->priv)
			gnutls_privkey_deinit(t->held[i]->priv);
	talloc_free(ctx);
	return err == ERR_CLOSED ? 0 : 1;
}
