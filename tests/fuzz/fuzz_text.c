/* fuzz_text.c - whatever a client calls itself, a terminal shows it and JSON carries it. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

static void check_safe(const char *text)
{
	while (*text) {
		uint32_t c = text_next(&text);
		require(!(c & TEXT_INVALID) && !text_is_steering(c));
	}
}

static void check_json(const char *text)
{
	json_t *o = json_object(), *back;
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	js_text(o, "text", text);
	js_print(f, o);
	fclose(f);
	back = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	require(json_object_size(back) == (*text != 0));
	for (const char *p = out; *p;) {
		uint32_t c = text_next(&p);
		require(c == '\n' || !text_is_steering(c));
	}
	json_decref(back);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strndup(ctx, (const char *)data, size), *safe = text_safe(ctx, text);
	size_t width = size % 40 + 1;
	char *cut = text_cut(ctx, safe, width, "~");

	check_safe(safe);
	check_safe(cut);
	require(text_width(cut) <= width);
	check_json(text);
	talloc_free(ctx);
	return 0;
}
