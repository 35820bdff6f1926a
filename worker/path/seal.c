/* seal.c - sealing and opening records next to GnuTLS.  Used by the data path.
 * RFC 5288 (GCM), RFC 7905 (ChaCha20) for (D)TLS 1.2; RFC 8446 5 for TLS 1.3. */
#include "worker/path/seal.h"

#include <string.h>

#include <gnutls/crypto.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "worker/path/replay.h"

enum {
	TYPE_DATA = 23,
	VERSION_TLS = 0x0303, /* also of TLS 1.3 records */
	VERSION_DTLS = 0xfefd,
	TLS_HEADER = 5,
	DTLS_HEADER = 13,
	NONCE = 12,
	EXPLICIT = 8, /* of the nonce, in each record of GCM in (D)TLS 1.2 */
	TAG = 16,
	KEY_MAX = 32,
	TEXT_MAX = 16384,
	EXPANSION_MAX = 2048, /* RFC 5246 6.2.3; a record beyond is an error in each version */
	AAD_MAX = 13,
};

/* Numbers that are left for what GnuTLS has to say at the end.  In DTLS the upper 16 bits of a
 * number are the epoch. */
static const uint64_t reserve = UINT64_C(1) << 20;
static const uint64_t dtls_numbers = UINT64_C(1) << 48;

/* RFC 8446 5.5 allows GCM 2^24.5 full-size records with one key.  What counts is the amount of
 * data, and smaller records are less of it. */
static const uint64_t worn_bytes = UINT64_C(1) << 38;

/* One direction.  SEQ: the next record's number; not of a DTLS reader. */
struct way {
	gnutls_aead_cipher_hd_t aead;
	uint64_t seq;
	uint8_t iv[NONCE];
	uint8_t key[KEY_MAX];
	unsigned key_len;
};

struct seal {
	gnutls_session_t s;
	gnutls_protocol_t version;
	gnutls_cipher_algorithm_t cipher;
	bool dtls, tls13, lent;
	size_t header, explicit, inner; /* bytes of a record around the text: before, after it */
	struct way tx, rx;
	uint64_t epoch; /* DTLS: of the reader */
	struct replay replay;
	uint64_t sealed; /* bytes with this key */
};

static void way_wipe(struct way *w)
{
	if (w->aead)
		gnutls_aead_cipher_deinit(w->aead);
	secret_wipe(w, sizeof *w);
}

static int seal_deinit(struct seal *s)
{
	way_wipe(&s->tx);
	way_wipe(&s->rx);
	return 0;
}

/* ---- keys and numbers ---- */

/* What a record of the session looks like.  ERR_UNSUPPORTED: not like one of ours. */
static enum err take_form(struct seal *s)
{
	s->version = gnutls_protocol_get_version(s->s);
	s->cipher = gnutls_cipher_get(s->s);
	bool gcm = s->cipher == GNUTLS_CIPHER_AES_128_GCM || s->cipher == GNUTLS_CIPHER_AES_256_GCM;
	if (!gcm && s->cipher != GNUTLS_CIPHER_CHACHA20_POLY1305)
		return ERR_UNSUPPORTED;
	if (s->version != GNUTLS_TLS1_2 && s->version != GNUTLS_TLS1_3 &&
	    s->version != GNUTLS_DTLS1_2)
		return ERR_UNSUPPORTED;
	s->dtls = s->version == GNUTLS_DTLS1_2;
	s->tls13 = s->version == GNUTLS_TLS1_3;
	s->header = s->dtls ? DTLS_HEADER : TLS_HEADER;
	s->explicit = gcm && !s->tls13 ? EXPLICIT : 0;
	s->inner = s->tls13; /* the type of the content */
	return ERR_OK;
}

/* Takes key, IV and number of one direction.  *FRESH: the key is another one than before. */
static enum err take_way(struct seal *s, struct way *w, bool reader, bool *fresh)
{
	gnutls_datum_t mac, iv, key;
	uint8_t seq[8];
	if (gnutls_record_get_state(s->s, reader, &mac, &iv, &key, seq) < 0)
		return ERR_UNSUPPORTED;
	/* RFC 5288 3: four bytes of the nonce are secret, the others are in the record. */
	if (key.size > KEY_MAX || iv.size != NONCE - s->explicit)
		return ERR_UNSUPPORTED;
	w->seq = get_be64(seq);
	*fresh = !w->aead || key.size != w->key_len || !secret_equal(key.data, w->key, key.size) ||
		 !secret_equal(iv.data, w->iv, iv.size);
	if (!*fresh)
		return ERR_OK;
	gnutls_aead_cipher_hd_t aead;
	if (gnutls_aead_cipher_init(&aead, s->cipher, &key) < 0)
		return ERR_UNSUPPORTED;
	if (w->aead)
		gnutls_aead_cipher_deinit(w->aead);
	w->aead = aead;
	w->key_len = key.size;
	memcpy(w->key, key.data, key.size);
	memcpy(w->iv, iv.data, iv.size);
	return ERR_OK;
}

static enum err take_keys(struct seal *s)
{
	bool fresh;
	enum err err = take_form(s);
	if (!err)
		err = take_way(s, &s->tx, false, &fresh);
	if (err)
		return err;
	if (fresh)
		s->sealed = 0;
	err = take_way(s, &s->rx, true, &fresh);
	if (err || !s->dtls || !fresh)
		return err;
	/* What GnuTLS has read of this epoch so far must not come again. */
	s->epoch = s->rx.seq / dtls_numbers;
	replay_init(&s->replay, s->rx.seq % dtls_numbers);
	return ERR_OK;
}

enum err seal_new(TALLOC_CTX *ctx, gnutls_session_t session, struct seal **out)
{
	struct seal *s = talloc_zero(ctx, struct seal);
	if (!s)
		return ERR_NOMEM;
	talloc_set_destructor(s, seal_deinit);
	s->s = session;
	enum err err = take_keys(s);
	if (err) {
		talloc_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

/* A GnuTLS that is not told which numbers were used would use them again. */
static void give_number(const struct seal *s, bool reader, uint64_t number)
{
	uint8_t seq[8];
	put_be64(seq, number);
	if (gnutls_record_set_state(s->s, reader, seq) < 0)
		fatal_bug("GnuTLS refused a record number");
}

void seal_lend(struct seal *s)
{
	if (s->lent)
		return;
	/* Over DTLS this empties GnuTLS's own replay window: it gets no record that ours has not
	 * let pass.  A reader of DTLS has no number to be lent. */
	give_number(s, false, s->tx.seq);
	if (!s->dtls)
		give_number(s, true, s->rx.seq);
	s->lent = true;
}

enum err seal_return(struct seal *s)
{
	if (!s->lent)
		return ERR_OK;
	enum err err = take_keys(s);
	s->lent = err != ERR_OK;
	return err;
}

/* ---- records ---- */

size_t seal_overhead(const struct seal *s)
{
	return s->header + s->explicit + s->inner + TAG;
}

bool seal_is_worn(const struct seal *s)
{
	return s->tls13 && s->sealed > worn_bytes;
}

/* The two inputs of the AEAD beside the text.  REC: header and explicit nonce; LEN: plaintext.
 * Returns the length of the additional data. */
static size_t prepare(const struct seal *s, const struct way *w, uint64_t seq, const uint8_t *rec,
		      size_t len, uint8_t nonce[NONCE], uint8_t aad[AAD_MAX])
{
	memcpy(nonce, w->iv, NONCE);
	if (s->explicit)
		memcpy(nonce + NONCE - EXPLICIT, rec + s->header, EXPLICIT);
	else
		put_be64(nonce + 4, get_be64(nonce + 4) ^ seq);
	if (s->tls13) {
		memcpy(aad, rec, TLS_HEADER);
		return TLS_HEADER;
	}
	put_be64(aad, seq);
	memcpy(aad + 8, rec, 3); /* type and version */
	put_be16(aad + 11, (unsigned)len);
	return AAD_MAX;
}

/* Encrypts LEN bytes at TEXT, which include the inner type, to their place in REC. */
static bool encrypt(const struct seal *s, const struct way *w, uint64_t seq, const uint8_t *text,
		    size_t len, uint8_t *rec)
{
	uint8_t nonce[NONCE], aad[AAD_MAX];
	size_t n = prepare(s, w, seq, rec, len, nonce, aad), room = len + TAG;
	return gnutls_aead_cipher_encrypt(w->aead, nonce, NONCE, aad, n, TAG, text, len,
					  rec + s->header + s->explicit, &room) == 0;
}

/* Decrypts in place.  LEN: text, which includes the inner type. */
static bool decrypt(const struct seal *s, const struct way *w, uint64_t seq, uint8_t *rec,
		    size_t len)
{
	uint8_t nonce[NONCE], aad[AAD_MAX], *text = rec + s->header + s->explicit;
	size_t n = prepare(s, w, seq, rec, len, nonce, aad), room = len;
	return gnutls_aead_cipher_decrypt(w->aead, nonce, NONCE, aad, n, TAG, text, len + TAG, text,
					  &room) == 0;
}

static bool numbers_left(const struct seal *s)
{
	uint64_t left = s->dtls ? dtls_numbers - s->tx.seq % dtls_numbers : ~s->tx.seq;
	return left > reserve;
}

static void put_header(const struct seal *s, size_t len, uint8_t *out)
{
	out[0] = TYPE_DATA;
	put_be16(out + 1, s->dtls ? VERSION_DTLS : VERSION_TLS);
	if (s->dtls)
		put_be64(out + 3, s->tx.seq);
	put_be16(out + s->header - 2, (unsigned)(s->explicit + len + s->inner + TAG));
	/* GnuTLS does the same, so that its explicit nonces and ours never meet. */
	if (s->explicit)
		put_be64(out + s->header, s->tx.seq);
}

size_t seal_write(struct seal *s, const uint8_t *data, size_t len, uint8_t *out)
{
	if (s->lent || len > TEXT_MAX || !numbers_left(s))
		return 0;
	put_header(s, len, out);
	if (s->tls13) {
		/* The type must follow the text without a gap. */
		uint8_t *text = out + s->header;
		memcpy(text, data, len);
		text[len] = TYPE_DATA;
		data = text;
	}
	if (!encrypt(s, &s->tx, s->tx.seq, data, len + s->inner, out))
		return 0;
	s->tx.seq++;
	s->sealed += len;
	return len + seal_overhead(s);
}

size_t seal_record(const struct seal *s, const uint8_t *data, size_t have)
{
	if (have < s->header)
		return 0;
	size_t body = get_be16(data + s->header - 2);
	if (!s->dtls && body > TEXT_MAX + EXPANSION_MAX)
		return have;
	return s->header + body <= have ? s->header + body : 0;
}

/* Undoes decrypt: the same key, nonce and text give the same bytes. */
static enum seal_verdict for_gnutls(const struct seal *s, uint64_t seq, uint8_t *rec, size_t len)
{
	const uint8_t *text = rec + s->header + s->explicit;
	return encrypt(s, &s->rx, seq, text, len, rec) ? SEAL_OTHER : SEAL_BAD;
}

/* The record is of another epoch: handshakes may be, old data is only late. */
static enum seal_verdict other_epoch(const struct seal *s, uint8_t type, uint64_t epoch)
{
	return type == TYPE_DATA && epoch < s->epoch ? SEAL_DROP : SEAL_OTHER;
}

static enum seal_verdict open_datagram(struct seal *s, uint8_t *rec, size_t len, size_t *text_len)
{
	uint64_t number = get_be64(rec + 3), seq = number % dtls_numbers;
	size_t around = s->header + s->explicit + TAG;
	if (number / dtls_numbers != s->epoch)
		return other_epoch(s, rec[0], number / dtls_numbers);
	if (get_be16(rec + 1) != VERSION_DTLS || len < around || len - around > TEXT_MAX ||
	    !replay_is_new(&s->replay, seq))
		return SEAL_DROP;
	*text_len = len - around;
	if (!decrypt(s, &s->rx, number, rec, *text_len))
		return SEAL_DROP;
	replay_mark(&s->replay, seq);
	/* GnuTLS might take the same one twice: it does not see the numbers in between. */
	return rec[0] == TYPE_DATA ? SEAL_DATA : for_gnutls(s, number, rec, *text_len);
}

/* *LEN loses what is not text. */
static enum seal_verdict open_tls13(struct seal *s, uint8_t *rec, size_t *len)
{
	const uint8_t *text = rec + s->header;
	size_t n = *len;
	while (n && text[n - 1] == 0) /* padding, RFC 8446 5.4 */
		n--;
	if (n == 0 || text[n - 1] != TYPE_DATA)
		return for_gnutls(s, s->rx.seq, rec, *len);
	*len = n - 1;
	return SEAL_DATA;
}

static enum seal_verdict open_stream(struct seal *s, uint8_t *rec, size_t len, size_t *text_len)
{
	size_t around = s->header + s->explicit + TAG;
	if (s->lent || len < TLS_HEADER || rec[0] != TYPE_DATA ||
	    get_be16(rec + 1) != VERSION_TLS || get_be16(rec + 3) != len - TLS_HEADER ||
	    len < around + s->inner || len - around > TEXT_MAX + s->inner)
		return SEAL_OTHER;
	*text_len = len - around;
	if (!decrypt(s, &s->rx, s->rx.seq, rec, *text_len))
		return SEAL_BAD;
	enum seal_verdict verdict = s->tls13 ? open_tls13(s, rec, text_len) : SEAL_DATA;
	if (verdict == SEAL_DATA)
		s->rx.seq++;
	return verdict;
}

enum seal_verdict seal_open(struct seal *s, uint8_t *rec, size_t len, uint8_t **text,
			    size_t *text_len)
{
	*text = rec + s->header + s->explicit;
	return s->dtls ? open_datagram(s, rec, len, text_len) : open_stream(s, rec, len, text_len);
}
