/* parse.c - the file grammar, line by line. */
#include "conf/parse.h"

#include <ctype.h>
#include <string.h>

#include <idn2.h>

#include "base/str.h"

enum section { SECTION_DEFAULT, SECTION_HOST, SECTION_SKIPPED };

struct parser {
	TALLOC_CTX *ctx, *tmp;
	struct conf_report *report;
	struct conf_rows *rows;
	struct conf_where where;
	bool hosts;
	enum section section;
	const char *vhost; /* child of tmp; NULL in the default section */
	const char *key;   /* the previous line's, for continuations; NULL: none yet */
	bool failed;
};

static void syntax_error(struct parser *p, const char *what)
{
	conf_report_add(p->report, CONF_ERROR, &p->where, "config file error in line %u: %s",
			p->where.line, what);
	p->failed = true;
}

/* Cuts a comment: '#' after a blank.  ';' only begins whole-line comments (config.md 2). */
static void cut_comment(char *line)
{
	for (char *c = line; (c = strchr(c, '#')) != NULL; c++) {
		if (c > line && isspace((unsigned char)c[-1])) {
			*c = '\0';
			return;
		}
	}
}

/* Every leading and trailing quote; those in the middle stay. */
static char *unquote(char *text)
{
	char *end;

	while (*text == '"')
		text++;
	end = text + strlen(text);
	while (end > text && end[-1] == '"')
		*--end = '\0';
	return text;
}

static void add_value(struct parser *p, char *value)
{
	struct conf_row row = {
		.vhost = p->vhost, .option = p->key, .file = p->where.file, .line = p->where.line
	};

	if (p->section == SECTION_SKIPPED)
		return;
	/* Headers such as Clear-Site-Data: "cache" need their quotes. */
	row.value = strcmp(p->key, "included-http-headers") == 0 ? value : unquote(value);
	if (conf_rows_add(p->ctx, p->rows, &row))
		p->failed = true;
}

/* The first separator counts, so that header values may contain both. */
static void parse_assignment(struct parser *p, char *line)
{
	char *sep = strpbrk(line, "=:");
	char *value;

	if (!sep) {
		syntax_error(p, "no '=' or ':'; write OPTION = VALUE");
		return;
	}
	value = str_trim(sep + 1);
	*sep = '\0';
	p->key = talloc_strdup(p->tmp, str_trim(line));
	if (!p->key)
		p->failed = true;
	else
		add_value(p, value);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* The A-label form of a name with other characters than ASCII (config.md 3.1). */
static const char *canonical(struct parser *p, const char *name)
{
	char *ace = NULL;
	const char *copy = NULL;

	if (is_ascii(name))
		return talloc_strdup(p->tmp, name);
	if (idn2_to_ascii_8z(name, &ace, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK) {
		copy = talloc_strdup(p->tmp, ace);
		conf_report_add(p->report, CONF_NOTE, &p->where,
				"virtual host name '%s' was canonicalized to '%s'", name, ace);
	}
	idn2_free(ace);
	return copy;
}

/* An illegal name is an error, and its lines are skipped. */
static void enter_host(struct parser *p, const char *name)
{
	const char *vhost = *name ? canonical(p, name) : NULL;

	if (vhost) {
		p->section = SECTION_HOST;
		p->vhost = vhost;
		return;
	}
	conf_report_add(p->report, CONF_ERROR, &p->where,
			"virtual host name is illegal '%s'; write [vhost:www.example.com]", name);
	p->failed = true;
}

/* Names the host of the lines that follow, or makes them be skipped. */
static void parse_section(struct parser *p, char *line)
{
	char *name = line + 1, *end = strchr(name, ']');

	p->section = SECTION_SKIPPED;
	p->vhost = NULL;
	p->key = NULL;
	if (!end) {
		syntax_error(p, "']' is missing; write [vhost:NAME]");
		return;
	}
	*end = '\0';
	if (strlen(name) > CONF_SECTION_MAX) {
		name[CONF_SECTION_MAX] = '\0';
		conf_report_add(p->report, CONF_WARNING, &p->where,
				"section name is cut to %d bytes: '%s'", CONF_SECTION_MAX, name);
	}
	if (p->hosts && str_starts(name, "vhost:"))
		enter_host(p, str_trim(name + strlen("vhost:")));
	else
		conf_report_add(p->report, p->hosts ? CONF_WARNING : CONF_INFO, &p->where,
				"skipping unknown section '%s'", name);
}

/* Comments, continuations, sections, assignments: config.md 2, in this order. */
static void parse_line(struct parser *p, char *line)
{
	char *start = line;

	while (isspace((unsigned char)*start))
		start++;
	if (!*start || *start == '#' || *start == ';')
		return;
	cut_comment(start);
	if (start > line && p->key)
		add_value(p, str_trim(start));
	else if (*start == '[')
		parse_section(p, start);
	else
		parse_assignment(p, start);
}

/* Copies one line so that it can be cut to pieces. */
static void take_line(struct parser *p, const char *text, size_t len)
{
	char line[CONF_LINE_MAX + 1];

	if (len > CONF_LINE_MAX) {
		syntax_error(p, "longer than 2047 bytes; repeat the option for further values");
		return;
	}
	if (memchr(text, '\0', len)) {
		syntax_error(p, "contains a NUL byte");
		return;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	parse_line(p, line);
}

/* The line of TEXT without its end: LF, or CR LF. */
static size_t line_length(const char *text, size_t len, size_t *whole)
{
	const char *lf = memchr(text, '\n', len);
	size_t n = lf ? (size_t)(lf - text) : len;

	*whole = lf ? n + 1 : n;
	return n && text[n - 1] == '\r' ? n - 1 : n;
}

enum err conf_parse(TALLOC_CTX *ctx, const char *name, const char *text, size_t len, bool hosts,
		    struct conf_report *report, struct conf_rows *rows)
{
	struct parser p = { .ctx = ctx, .report = report, .rows = rows, .hosts = hosts };

	p.tmp = talloc_new(NULL);
	p.where.file = name;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len) {
		size_t whole, n = line_length(text, len, &whole);

		p.where.line++;
		take_line(&p, text, n);
		text += whole;
		len -= whole;
	}
	talloc_free(p.tmp);
	return p.failed ? ERR_CONF : ERR_OK;
}
