/* fuzz_cmd.c - any line is parsed, completed and answered without harm. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/complete.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *line = talloc_strndup(ctx, (const char *)data, size), *text = NULL;
	struct cmd_value value;
	const struct cmd *cmd = NULL;
	struct cmd_next next;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (cmd_parse(ctx, line, size & 1, &cmd, &value) == CMD_FOUND)
		require((cmd->arg == ARG_NONE) == (value.text == NULL));
	require(!cmd_complete(ctx, line, &next));
	require(next.word >= line && next.word <= line + strlen(line));
	for (size_t i = 0; i < next.words.n; i++)
		require(complete_common(&next.words) <= strlen(next.words.item[i]));
	cmd_print_help(out, line, size & 1);
	fclose(out);
	free(text);
	talloc_free(ctx);
	return 0;
}
