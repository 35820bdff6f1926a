/* fuzz_conf_rows.c - packed rows as a process receives them. */
#include "conf/conf.h"
#include "conf/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_rows rows;
	struct session_conf *session;
	struct conf *conf;

	if (!conf_unpack(ctx, data, size, &rows)) {
		if (!conf_from_rows(ctx, &rows, CONF_SHARE, NULL, &conf))
			(void)conf_session_new(ctx, conf->host[0], &rows, NULL, &session);
	}
	talloc_free(ctx);
	return 0;
}
