/* cert_id.c - names in certificates. */
#include "worker/cert_id.h"

#include <string.h>

static const char oid_san[] = "2.5.29.17";
static const char oid_upn[] = "1.3.6.1.4.1.311.20.2.3"; /* Microsoft's user principal name */

/* Context tags of the certificate (RFC 5280 4.1) and of general names (4.2.1.6). */
enum {
	TAG_VERSION = 0xa0,
	TAG_EXTENSIONS = 0xa3,
	TAG_OTHER_NAME = 0xa0,
	TAG_RFC822_NAME = 0x81,
	TAG_EXPLICIT = 0xa0,
};

/* ---- parts ---------------------------------------------------------------- */

static bool is_oid(const struct der *oid, const char *text)
{
	char buf[DER_OID_TEXT];

	return der_oid_text(oid, buf) == ERR_OK && strcmp(buf, text) == 0;
}

/* One extension: identifier, whether it is critical, contents. */
static enum err parse_extension(struct der in, struct der *san)
{
	struct der oid, value, ignored;

	if (der_take(&in, DER_OID, &oid))
		return ERR_SYNTAX;
	if (der_is(&in, 0x01) && der_take(&in, 0x01, &ignored))
		return ERR_SYNTAX;
	if (der_take(&in, DER_OCTET_STRING, &value))
		return ERR_SYNTAX;
	if (!is_oid(&oid, oid_san))
		return ERR_OK;
	/* Twice is forbidden (RFC 5280 4.2), and which one counts must not be left to chance. */
	return san->p ? ERR_SYNTAX : der_take(&value, DER_SEQUENCE, san);
}

static enum err parse_extensions(struct der in, struct der *san)
{
	struct der list, one;

	if (der_take(&in, DER_SEQUENCE, &list))
		return ERR_SYNTAX;
	while (list.len)
		if (der_take(&list, DER_SEQUENCE, &one) || parse_extension(one, san))
			return ERR_SYNTAX;
	return ERR_OK;
}

/* What stands between the subject and the extensions is not looked at. */
static enum err parse_rest(struct der in, struct cert_parts *out)
{
	struct der_item item;

	while (in.len) {
		if (der_next(&in, &item))
			return ERR_SYNTAX;
		if (item.tag == TAG_EXTENSIONS)
			return parse_extensions(item.value, &out->san);
	}
	return ERR_OK;
}

enum err cert_parts_parse(const struct der *cert, struct cert_parts *out)
{
	struct der in = *cert, body, tbs, ignored;
	struct der_item issuer;
	struct cert_parts parts = { .san = { NULL, 0 } };

	if (der_take(&in, DER_SEQUENCE, &body) || in.len || der_take(&body, DER_SEQUENCE, &tbs))
		return ERR_SYNTAX;
	if (der_is(&tbs, TAG_VERSION) && der_take(&tbs, TAG_VERSION, &ignored))
		return ERR_SYNTAX;
	if (der_take(&tbs, DER_INTEGER, &parts.serial) || der_take(&tbs, DER_SEQUENCE, &ignored) ||
	    !der_is(&tbs, DER_SEQUENCE) || der_next(&tbs, &issuer) ||
	    der_take(&tbs, DER_SEQUENCE, &ignored) ||
	    der_take(&tbs, DER_SEQUENCE, &parts.subject) || parse_rest(tbs, &parts))
		return ERR_SYNTAX;
	parts.issuer = issuer.whole;
	*out = parts;
	return ERR_OK;
}

/* ---- names ---------------------------------------------------------------- */

/* ITEM as a name: NULL in *OUT when it is empty. */
static enum err read_name(TALLOC_CTX *ctx, const struct der_item *item, char **out)
{
	char *text = NULL;
	enum err err = der_text(ctx, item, &text);

	if (err == ERR_UNSUPPORTED)
		return ERR_SYNTAX;
	if (!err && strlen(text) > CERT_NAME_MAX)
		err = ERR_TOO_LONG;
	if (err || !*text)
		TALLOC_FREE(text);
	if (!err)
		*out = text;
	return err;
}

/* What is done with each value of an attribute; ERR_EXISTS: no more are wanted. */
typedef enum err (*name_fn)(struct cert_id *id, const struct der_item *value);

/* The attributes of one RDN: SET OF SEQUENCE { type, value }. */
static enum err each_in_rdn(struct der set, const char *oid, name_fn fn, struct cert_id *id)
{
	enum err err = ERR_OK;

	while (!err && set.len) {
		struct der pair, type;
		struct der_item value;

		if (der_take(&set, DER_SEQUENCE, &pair) || der_take(&pair, DER_OID, &type) ||
		    der_next(&pair, &value))
			return ERR_SYNTAX;
		if (is_oid(&type, oid))
			err = fn(id, &value);
	}
	return err;
}

static enum err each_in_subject(struct der subject, const char *oid, name_fn fn, struct cert_id *id)
{
	enum err err = ERR_OK;
	struct der rdn;

	while (!err && subject.len) {
		if (der_take(&subject, DER_SET, &rdn))
			return ERR_SYNTAX;
		err = each_in_rdn(rdn, oid, fn, id);
	}
	return err;
}

static enum err take_user(struct cert_id *id, const struct der_item *value)
{
	char *text = NULL;
	enum err err = read_name(id, value, &text);

	id->user = text;
	return err ? err : ERR_EXISTS;
}

static enum err take_group(struct cert_id *id, const struct der_item *value)
{
	char *text = NULL;
	enum err err = read_name(id, value, &text);

	if (err || !text || strv_has(&id->groups, text))
		return err;
	if (id->groups.n == CERT_GROUPS_MAX)
		return ERR_TOO_LONG;
	return strv_add(id, &id->groups, text);
}

/* otherName: identifier and [0] with the value. */
static enum err take_upn(struct cert_id *id, struct der name)
{
	struct der oid, wrapped;
	struct der_item value;

	if (der_take(&name, DER_OID, &oid))
		return ERR_SYNTAX;
	if (!is_oid(&oid, oid_upn))
		return ERR_OK;
	if (der_take(&name, TAG_EXPLICIT, &wrapped) || der_next(&wrapped, &value))
		return ERR_SYNTAX;
	return take_user(id, &value);
}

/* protocol.md 2.6, 10.5: all entries are looked at, only those of the right type count. */
static enum err user_of_san(struct cert_id *id, struct der san, uint8_t tag)
{
	enum err err = ERR_OK;

	while (!err && san.len) {
		struct der_item name;

		if (der_next(&san, &name))
			return ERR_SYNTAX;
		if (name.tag != tag)
			continue;
		if (tag == TAG_OTHER_NAME) {
			err = take_upn(id, name.value);
		} else {
			name.tag = DER_IA5; /* an implicit tag stands for it */
			err = take_user(id, &name);
		}
	}
	return err;
}

static enum err read_user(struct cert_id *id, const struct cert_parts *cert, const char *where)
{
	enum err err;

	if (strcmp(where, "SAN(rfc822name)") == 0)
		err = user_of_san(id, cert->san, TAG_RFC822_NAME);
	else if (strcmp(where, "SAN(upn)") == 0)
		err = user_of_san(id, cert->san, TAG_OTHER_NAME);
	else
		err = each_in_subject(cert->subject, where, take_user, id);
	return err == ERR_EXISTS ? ERR_OK : err;
}

enum err cert_id_read(TALLOC_CTX *ctx, const struct cert_parts *cert, const char *user_oid,
		      const char *group_oid, struct cert_id **out)
{
	struct cert_id *id = talloc_zero(ctx, struct cert_id);
	enum err err = id ? read_user(id, cert, user_oid) : ERR_NOMEM;

	if (!err && group_oid)
		err = each_in_subject(cert->subject, group_oid, take_group, id);
	if (err)
		talloc_free(id);
	else
		*out = id;
	return err;
}
