/* row.c - growing and filtering lists of rows. */
#include "conf/row.h"

#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "conf/option.h"

/* Values may be PINs: all are wiped when freed.  File names repeat; neighbours share one copy. */
static bool copy_texts(struct conf_row *item, const struct conf_row *before, struct conf_row *row)
{
	const char *file = row->file ? row->file : "";
	char *value = talloc_strdup(item, row->value ? row->value : "");

	row->option = talloc_strdup(item, row->option);
	if (!row->option || !value)
		return false;
	secret_mark(value);
	row->value = value;
	row->file = before && strcmp(before->file, file) == 0 ? before->file
							      : talloc_strdup(item, file);
	if (row->vhost)
		row->vhost = talloc_strdup(item, row->vhost);
	return row->file != NULL;
}

enum err conf_rows_add(TALLOC_CTX *ctx, struct conf_rows *rows, const struct conf_row *row)
{
	struct conf_row *item = rows->item, copy = *row;

	/* Doubling: reallocating the array for every row would make long files quadratic. */
	if ((rows->n & (rows->n - 1)) == 0) {
		item = talloc_realloc(ctx, item, struct conf_row,
				      (unsigned)(rows->n ? rows->n * 2 : 1));
		if (!item)
			return ERR_NOMEM;
		rows->item = item;
	}
	if (!copy_texts(item, rows->n ? &item[rows->n - 1] : NULL, &copy) ||
	    (row->vhost && !copy.vhost))
		return ERR_NOMEM;
	item[rows->n++] = copy;
	return ERR_OK;
}

static bool same_host(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

/* From the end: rows of one host stand together. */
static bool is_declared(const struct conf_rows *rows, const char *vhost)
{
	for (size_t i = rows->n; i > 0; i--)
		if (same_host(rows->item[i - 1].vhost, vhost))
			return true;
	return vhost == NULL;
}

enum err conf_rows_filter(TALLOC_CTX *ctx, const struct conf_rows *rows, unsigned to,
			  struct conf_rows *out)
{
	struct conf_rows kept = { 0 };

	for (size_t i = 0; i < rows->n; i++) {
		const struct conf_option *opt = conf_option_of(rows->item[i].option);
		struct conf_row row = rows->item[i];

		if (!opt || !(opt->to & to)) {
			/* A host inherits what stands above its first row, so its place matters. */
			if (is_declared(&kept, row.vhost))
				continue;
			row.option = "";
			row.value = "";
		}
		if (conf_rows_add(ctx, &kept, &row)) {
			talloc_free(kept.item);
			return ERR_NOMEM;
		}
	}
	*out = kept;
	return ERR_OK;
}
