/* suggest.c - "did you mean": the option that a misspelled name comes closest to.  Pure. */
#include <ctype.h>
#include <string.h>

#include "conf/option.h"

enum {
	NAME_MAX_LEN = 40, /* longer than any option; such a key is no misspelled one */
	FAR = 3,	   /* edits that make it another word */
};

/* Case and the two kinds of dashes are what is most often mixed up. */
static int fold(char c)
{
	return c == '_' ? '-' : tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned d = a < b ? a : b;

	return d < c ? d : c;
}

/* Levenshtein's distance of A and B, of at most NAME_MAX_LEN bytes each, row by row. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	for (unsigned k = 0; k <= len; k++)
		row[k] = k;
	for (unsigned i = 1; *a; i++, a++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= len; k++) {
			unsigned same = diagonal + (fold(*a) != fold(b[k - 1]));

			diagonal = row[k];
			row[k] = least(row[k] + 1, row[k - 1] + 1, same);
		}
	}
	return row[len];
}

const struct conf_option *conf_option_like(const char *name)
{
	const struct conf_option *best = NULL;
	/* In a short name a few edits make any other. */
	unsigned nearest = strlen(name) < 6 ? FAR - 1 : FAR;

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		unsigned d = distance(name, conf_options[i].name);

		if (d < nearest) {
			nearest = d;
			best = &conf_options[i];
		}
	}
	return best;
}

static bool is_for_users(const struct conf_option *opt)
{
	return opt->scope == CONF_SCOPE_USER || opt->scope == CONF_SCOPE_PERUSER;
}

void conf_report_unknown(struct conf_report *report, const struct conf_row *row, bool in_user_file)
{
	const struct conf_where where = { .vhost = row->vhost,
					  .file = row->file,
					  .line = row->line };
	enum conf_severity severity = in_user_file ? CONF_INFO : CONF_WARNING;
	const struct conf_option *like = conf_option_like(row->option);

	if (in_user_file && conf_option_of(row->option))
		conf_report_add(report, severity, &where,
				"skipping unknown option '%s'; it belongs into the server's "
				"configuration file",
				row->option);
	else if (like && (!in_user_file || is_for_users(like)))
		conf_report_add(report, severity, &where,
				"skipping unknown option '%s'; did you mean '%s'?", row->option,
				like->name);
	else
		conf_report_add(report, severity, &where, "skipping unknown option '%s'",
				row->option);
}
