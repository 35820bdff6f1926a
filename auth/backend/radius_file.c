/* radius_file.c - reads a small file whole. */
#include "auth/backend/radius_file.h"

#include <stdio.h>

#include "auth/backend/radius_conf.h"
#include "base/secret.h"

enum err radius_file_read(TALLOC_CTX *ctx, const char *path, struct radius_text *out)
{
	FILE *f = fopen(path, "re");
	char *text = f ? talloc_size(ctx, RADIUS_FILE_MAX + 1) : NULL;
	enum err err = ERR_OK;
	size_t len = 0;

	if (!f)
		return ERR_SYS;
	if (!text) {
		fclose(f);
		return ERR_NOMEM;
	}
	secret_mark(text);
	/* Nothing of the file may stay in a buffer of the library's. */
	setvbuf(f, NULL, _IONBF, 0);
	len = fread(text, 1, RADIUS_FILE_MAX + 1, f);
	if (ferror(f))
		err = ERR_SYS;
	else if (len > RADIUS_FILE_MAX)
		err = ERR_TOO_LONG;
	fclose(f);
	if (err) {
		talloc_free(text);
		return err;
	}
	text[len] = '\0';
	*out = (struct radius_text){ text, len };
	return ERR_OK;
}
