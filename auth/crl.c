/* crl.c - the structure of revocation lists. */
#include "auth/crl.h"

#include <string.h>
#include <time.h>

static bool is_time(const struct der *in)
{
	return der_is(in, DER_UTC_TIME) || der_is(in, DER_GENERAL_TIME);
}

/* LEN digits at P as a number; -1: something else is there. */
static int digits(const uint8_t *p, size_t len)
{
	int v = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* RFC 5280 4.1.2.5: YYMMDDhhmmssZ until 2049, YYYYMMDDhhmmssZ beyond. */
static enum err parse_time(const struct der_item *item, int64_t *out)
{
	size_t year = item->tag == DER_UTC_TIME ? 2 : 4;
	const uint8_t *p = item->value.p;
	struct tm tm = { 0 };
	int part[5];

	if (item->value.len != year + 11 || p[year + 10] != 'Z')
		return ERR_SYNTAX;
	tm.tm_year = digits(p, year);
	for (size_t i = 0; i < 5; i++) {
		part[i] = digits(p + year + 2 * i, 2);
		if (part[i] < 0)
			return ERR_SYNTAX;
	}
	if (tm.tm_year < 0)
		return ERR_SYNTAX;
	if (year == 4)
		tm.tm_year -= 1900;
	else if (tm.tm_year < 50)
		tm.tm_year += 100;
	tm.tm_mon = part[0] - 1;
	tm.tm_mday = part[1];
	tm.tm_hour = part[2];
	tm.tm_min = part[3];
	tm.tm_sec = part[4];
	*out = timegm(&tm);
	return ERR_OK;
}

/* An optional version before it, then the algorithm once more, the issuer and the dates. */
static enum err parse_head(struct der *in, struct crl *out)
{
	struct der ignored;
	struct der_item item;

	if (der_is(in, DER_INTEGER) && der_take(in, DER_INTEGER, &ignored))
		return ERR_SYNTAX;
	if (der_take(in, DER_SEQUENCE, &ignored) || !der_is(in, DER_SEQUENCE) ||
	    der_next(in, &item))
		return ERR_SYNTAX;
	out->issuer = item.whole;
	if (!is_time(in) || der_next(in, &item))
		return ERR_SYNTAX;
	if (!is_time(in))
		return ERR_OK;
	return der_next(in, &item) ? ERR_SYNTAX : parse_time(&item, &out->next_update);
}

static enum err parse_tbs(struct der in, struct crl *out)
{
	enum err err = parse_head(&in, out);

	if (err || !der_is(&in, DER_SEQUENCE))
		return err;
	return der_take(&in, DER_SEQUENCE, &out->revoked);
}

enum err crl_parse(const struct der *in, struct crl *out)
{
	struct der all = *in, list, algorithm, bits;
	struct der_item tbs;
	struct crl crl = { .next_update = 0 };

	if (der_take(&all, DER_SEQUENCE, &list) || all.len || !der_is(&list, DER_SEQUENCE) ||
	    der_next(&list, &tbs))
		return ERR_SYNTAX;
	crl.tbs = tbs.whole;
	if (der_take(&list, DER_SEQUENCE, &algorithm) ||
	    der_take(&algorithm, DER_OID, &crl.algorithm) ||
	    der_take(&list, DER_BIT_STRING, &bits) || !bits.len || *bits.p != 0 || list.len)
		return ERR_SYNTAX;
	crl.signature = (struct der){ bits.p + 1, bits.len - 1 };
	if (parse_tbs(tbs.value, &crl))
		return ERR_SYNTAX;
	*out = crl;
	return ERR_OK;
}

enum err crl_next(struct der *revoked, struct der *serial)
{
	struct der entry;

	if (!revoked->len)
		return ERR_NOT_FOUND;
	if (der_take(revoked, DER_SEQUENCE, &entry))
		return ERR_SYNTAX;
	return der_take(&entry, DER_INTEGER, serial);
}
