/* fuzz_log_json.c - any strings in an event: what comes out is one JSON object that holds its keys
 * once, on one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <talloc.h>

#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The strings are what the first NULs separate, and nothing when there are no more: END is a NUL,
 * too. */
static const char *next(char **at, char *end)
{
	const char *text = *at;

	*at += strlen(text) + 1;
	if (*at > end)
		*at = end;
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log_origin origin = { "worker", 4711 };
	const struct timespec now = { .tv_sec = 4102444800 };
	char *copy = talloc_zero_size(NULL, size + 1), *at = copy, text[LOG_LINE];
	struct log_ctx ctx;
	json_t *object;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	ctx.session = next(&at, copy + size);
	ctx.user = next(&at, copy + size);
	ctx.vhost = next(&at, copy + size);
	ctx.ip = NULL;
	log_format_json(text, &origin, LOG_LVL_WARN, &now, &ctx, "event",
			LOG_KVS(kv_str("agent", next(&at, copy + size)), kv_u64("n", size),
				kv_str("user", next(&at, copy + size)),
				kv_text(next(&at, copy + size))));
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!object || strlen(text) >= LOG_LINE || strchr(text, '\n') ||
	    !json_is_string(json_object_get(object, "event")))
		abort();
	json_decref(object);
	talloc_free(copy);
	return 0;
}
