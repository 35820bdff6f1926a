/* fuzz_conf_user.c - a per-user file: parse and merge with a host. */
#include "base/log.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct conf_report *report = conf_report_new(ctx);
	struct conf_rows none = { 0 }, rows = { 0 };
	struct session_conf *session;
	struct conf *conf;

	if (conf_from_rows(ctx, &none, CONF_SHARE, report, &conf))
		fatal_bug("no rows are a good share");
	if (!conf_user_parse(ctx, "u", (const char *)data, size, report, &rows) &&
	    !conf_session_new(ctx, conf->host[0], &rows, report, &session)) {
		if (report->errors)
			fatal_bug("a session in spite of an error");
		if (session->default_route && session->route.n)
			fatal_bug("routes beside the default route");
	}
	talloc_free(ctx);
	return 0;
}
