/* trust.c - authorities and revocation lists of a host. */
#include "worker/trust.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/serials.h"

enum err trust_map(int fd, struct trust_area *out)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0 || st.st_size < 0)
		return ERR_SYS;
	*out = (struct trust_area){ .len = (size_t)st.st_size };
	if (!out->len)
		return ERR_OK;
	/* Shared: the pages are those of the memfd, in every process. */
	map = mmap(NULL, out->len, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ERR_SYS;
	out->data = map;
	return ERR_OK;
}

void trust_unmap(struct trust_area *area)
{
	if (area->len)
		munmap((void *)(uintptr_t)area->data, area->len);
	*area = (struct trust_area){ .len = 0 };
}

enum err trust_span(const struct trust_area *area, const Span *span, struct der *out)
{
	*out = (struct der){ NULL, 0 };
	if (!span || !span->len)
		return ERR_OK;
	if (span->at > area->len || span->len > area->len - span->at)
		return ERR_RANGE;
	*out = (struct der){ area->data + span->at, (size_t)span->len };
	return ERR_OK;
}

/* CRED keeps a copy of each. */
static enum err take_cas(struct der all, gnutls_certificate_credentials_t cred)
{
	struct der_item item;
	enum err err = ERR_OK;

	while (!err && all.len) {
		gnutls_datum_t der;

		if (der_next(&all, &item))
			return ERR_SYNTAX;
		der = (gnutls_datum_t){ (uint8_t *)(uintptr_t)item.whole.p,
					(unsigned)item.whole.len };
		if (gnutls_certificate_set_x509_trust_mem(cred, &der, GNUTLS_X509_FMT_DER) < 0)
			err = ERR_SYNTAX;
	}
	return err;
}

enum err trust_take(TALLOC_CTX *ctx, const struct trust_area *area, const HostCerts *msg,
		    gnutls_certificate_credentials_t cred, struct trust *out)
{
	struct der ca;
	enum err err = trust_span(area, msg->ca, &ca);

	if (!err)
		err = take_cas(ca, cred);
	out->list = talloc_zero_array(ctx, struct trust_list, (unsigned)msg->n_revoked);
	if (!err && !out->list)
		err = ERR_NOMEM;
	for (; !err && out->n < msg->n_revoked; out->n++) {
		struct trust_list *l = &out->list[out->n];

		err = trust_span(area, msg->revoked[out->n]->issuer, &l->issuer);
		if (!err)
			err = trust_span(area, msg->revoked[out->n]->serial, &l->serials);
	}
	return err;
}

bool trust_revoked(const struct trust *trust, const struct cert_parts *cert)
{
	for (size_t i = 0; i < trust->n; i++) {
		const struct trust_list *l = &trust->list[i];

		if (der_equal(&l->issuer, &cert->issuer) &&
		    serials_have(l->serials.p, l->serials.len / SERIAL_RECORD, cert->serial.p,
				 cert->serial.len))
			return true;
	}
	return false;
}
