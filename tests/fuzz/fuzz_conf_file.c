/* fuzz_conf_file.c - a whole configuration file: parse, build, check, show, pack, build again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "conf/conf.h"
#include "conf/option.h"
#include "conf/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one process gets must build as well as the whole did. */
static void share(TALLOC_CTX *ctx, const struct conf *conf, unsigned to)
{
	struct conf_rows rows, back;
	struct conf *part;
	uint8_t *bytes;
	size_t len;

	if (conf_rows_filter(ctx, &conf->rows, to, &rows) || conf_pack(ctx, &rows, &bytes, &len) ||
	    conf_unpack(ctx, bytes, len, &back) ||
	    conf_from_rows(ctx, &back, CONF_SHARE, NULL, &part) || part->n_hosts != conf->n_hosts)
		fatal_bug("a good configuration's share is bad");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_report *report = conf_report_new(ctx);
	struct conf *conf;
	char *shown = NULL;
	size_t shown_len;
	FILE *out = open_memstream(&shown, &shown_len);
	enum err err = conf_load_text(ctx, "f", (const char *)data, size, report, &conf);

	if ((err == ERR_CONF) != (report->errors > 0))
		fatal_bug("result and report differ");
	if (!err) {
		conf_show(conf, out);
		share(ctx, conf, CONF_TO_WORKER);
		share(ctx, conf, CONF_TO_AUTH);
	}
	conf_report_print(report, out, CONF_INFO, false);
	fclose(out);
	free(shown);
	talloc_free(ctx);
	return 0;
}
