/* fuzz_auth_crl.c - any bytes as a revocation list: what is found lies inside of them. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require_inside(const struct der *all, const struct der *part)
{
	if (part->len && (part->p < all->p || part->p + part->len > all->p + all->len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct der in = { data, size };
	struct der serial;
	struct crl crl;

	if (crl_parse(&in, &crl))
		return 0;
	require_inside(&in, &crl.tbs);
	require_inside(&in, &crl.issuer);
	require_inside(&in, &crl.algorithm);
	require_inside(&in, &crl.signature);
	while (!crl_next(&crl.revoked, &serial))
		require_inside(&in, &serial);
	return 0;
}
