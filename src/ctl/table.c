/* table.c - rows are kept until all are known: widths depend on the longest cell. */
#include "ctl/table.h"

#include "ctl/text.h"

enum { GROWTH = 64 }; /* rows */

struct table {
	const struct view *v;
	const struct column *col;
	size_t n, rows;
	char ***row;
	size_t widest[TABLE_COLUMNS]; /* cell or heading */
	size_t longest;		      /* line with the widths of the specification */
};

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

struct table *table_new(const struct view *v, const struct column *col, size_t n)
{
	struct table *t = talloc_zero(v->ctx, struct table);

	if (!t || n > TABLE_COLUMNS)
		return NULL;
	*t = (struct table){ .v = v, .col = col, .n = n, .longest = n - 1 };
	for (size_t i = 0; i < n; i++) {
		t->widest[i] = text_width(col[i].name);
		t->longest += max(t->widest[i], col[i].head);
	}
	return t;
}

static char **add_row(struct table *t)
{
	char **row = talloc_array(t, char *, (unsigned)t->n);

	if (t->rows % GROWTH == 0) {
		char ***grown = talloc_realloc(t, t->row, char **, (unsigned)t->rows + GROWTH);
		if (!grown)
			return NULL;
		t->row = grown;
	}
	if (row)
		t->row[t->rows++] = row;
	return row;
}

void table_row(struct table *t, const char *const *cell)
{
	size_t length = t ? t->n - 1 : 0;
	char **row = t ? add_row(t) : NULL;

	for (size_t i = 0; row && i < t->n; i++) {
		size_t width;

		row[i] = text_safe(row, cell[i]);
		if (t->col[i].most)
			row[i] = text_cut(row, row[i], t->col[i].most, "");
		width = text_width(row[i]);
		t->widest[i] = max(t->widest[i], width);
		length += max(width, t->col[i].cell);
	}
	if (row)
		t->longest = max(t->longest, length);
}

/* The column that can best do with less; T->n when none can. */
static size_t find_rich(const struct table *t, const size_t *width)
{
	size_t best = t->n, most = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (width[i] > t->col[i].least && width[i] - t->col[i].least > most) {
			most = width[i] - t->col[i].least;
			best = i;
		}
	}
	return best;
}

/* Every column as wide as its cells, then less and less of those that have most to give. */
static void squeeze(const struct table *t, size_t *width)
{
	size_t sum = t->n - 1, i;

	for (i = 0; i < t->n; i++)
		sum += width[i] = t->widest[i];
	for (; sum > t->v->width && (i = find_rich(t, width)) < t->n; sum--)
		width[i]--;
}

static void put(const struct table *t, size_t i, const char *text, size_t width)
{
	size_t have = text_width(text);

	fprintf(t->v->out, "%s%*s%s", i ? " " : "", (int)(have < width ? width - have : 0), "",
		text);
}

/* The wide form: over-long cells are not cut (admin.md 6.9). */
static void print_full(const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		put(t, i, t->col[i].name, t->col[i].head);
	fputc('\n', t->v->out);
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t i = 0; i < t->n; i++)
			put(t, i, t->row[r][i], t->col[i].cell);
		fputc('\n', t->v->out);
	}
}

static void put_cut(const struct table *t, size_t i, const char *text, size_t width)
{
	char *cut = text_cut(t->v->ctx, text, width, t->v->more);

	put(t, i, cut ? cut : "", width);
	talloc_free(cut);
}

static void print_narrow(const struct table *t)
{
	size_t width[TABLE_COLUMNS];

	squeeze(t, width);
	for (size_t i = 0; i < t->n; i++)
		put_cut(t, i, t->col[i].name, width[i]);
	fputc('\n', t->v->out);
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t i = 0; i < t->n; i++)
			put_cut(t, i, t->row[r][i], width[i]);
		fputc('\n', t->v->out);
	}
}

void table_print(const struct table *t, bool heading)
{
	if (!t || (t->rows == 0 && !heading))
		return;
	if (t->v->width == 0 || t->longest <= t->v->width)
		print_full(t);
	else
		print_narrow(t);
}
