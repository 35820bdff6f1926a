/* types.c - what every type has in common, and the plain ones: numbers, texts, words, lists. */
#include "conf/types.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

enum { RATE_UNIT = 1000 }; /* bytes */

static __attribute__((format(printf, 3, 0))) void report_va(struct conf_set *s,
							    enum conf_severity severity,
							    const char *fmt, va_list ap)
{
	char *text = talloc_vasprintf(NULL, fmt, ap);

	conf_report_add(s->report, severity, &s->where, "%s", text ? text : "out of memory");
	talloc_free(text);
}

void conf_set_error(struct conf_set *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(s, CONF_ERROR, fmt, ap);
	va_end(ap);
}

void conf_set_warning(struct conf_set *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(s, CONF_WARNING, fmt, ap);
	va_end(ap);
}

bool conf_is_true(const char *text)
{
	return strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0;
}

/* true and yes; every other word is false (config.md 2.1). */
static bool parse_flag(struct conf_set *s, const char *text, void *out)
{
	bool v = conf_is_true(text);

	/* Deployed files say 1 or on and run with false: keep that, but say so. */
	if (!v && *text && strcasecmp(text, "false") != 0 && strcasecmp(text, "no") != 0)
		conf_set_warning(s, "'%s' means false here; write true or false", text);
	*(bool *)out = v;
	return true;
}

static void print_flag(const void *value, struct buf *out)
{
	buf_puts(out, *(const bool *)value ? "true" : "false");
}

uint64_t conf_number(const char *text, uint64_t max, bool *odd)
{
	bool negative = *text == '-', over = false;
	const char *p = text + (*text == '-' || *text == '+');
	uint64_t v = 0;

	*odd = p != text || !isdigit((unsigned char)*p);
	for (; isdigit((unsigned char)*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		over = over || v > (max - digit) / 10;
		v = over ? max : v * 10 + digit;
	}
	*odd = *odd || *p || over;
	return negative && v ? max - v + 1 : v;
}

/* A number of the option, in its limits.  False: reported. */
static bool number_in_limits(struct conf_set *s, const char *text, uint64_t max, uint64_t *out)
{
	const struct conf_limits *l = &s->opt->limits;
	bool odd;
	uint64_t v = conf_number(text, max, &odd);

	if (l->kind == CONF_LIMIT_RANGE && (v < l->min || v > l->max)) {
		conf_set_error(s, "'%s' is out of range; write a number from %ju to %ju", text,
			       (uintmax_t)l->min, (uintmax_t)l->max);
		return false;
	}
	if (l->kind == CONF_LIMIT_SOFT && (v < l->min || v > l->max)) {
		v = v < l->min ? l->min : l->max;
		odd = true;
	}
	if (odd)
		conf_set_warning(s, "'%s' is not a plain number; using %ju", text, (uintmax_t)v);
	*out = v;
	return true;
}

/* Numbers, seconds and milliseconds; range errors have been reported. */
static bool parse_u32(struct conf_set *s, const char *text, void *out)
{
	uint64_t v;

	if (!number_in_limits(s, text, UINT32_MAX, &v))
		return false;
	*(uint32_t *)out = (uint32_t)v;
	return true;
}

static void print_u32(const void *value, struct buf *out)
{
	buf_printf(out, "%u", *(const uint32_t *)value);
}

/* As a number, but 0 means that there is none. */
static void print_prefix(const void *value, struct buf *out)
{
	if (*(const uint32_t *)value)
		print_u32(value, out);
}

static bool parse_u64(struct conf_set *s, const char *text, void *out)
{
	return number_in_limits(s, text, UINT64_MAX, out);
}

static void print_u64(const void *value, struct buf *out)
{
	buf_printf(out, "%ju", (uintmax_t) * (const uint64_t *)value);
}

/* Shaping counts in units of 1000 bytes (config.md 8.11): less than one unit is no limit. */
static bool parse_rate(struct conf_set *s, const char *text, void *out)
{
	uint64_t v;

	if (!number_in_limits(s, text, UINT64_MAX, &v))
		return false;
	*(uint64_t *)out = v - v % RATE_UNIT;
	return true;
}

static bool parse_str(struct conf_set *s, const char *text, void *out)
{
	const char *copy = talloc_strdup(s->ctx, text);

	/* config.md 2: an empty value leaves a string option unset. */
	*(const char **)out = copy && *copy ? copy : NULL;
	return copy != NULL;
}

static void print_str(const void *value, struct buf *out)
{
	const char *text = *(const char *const *)value;

	if (text)
		buf_puts(out, text);
}

/* The copy is wiped when the configuration is freed. */
static bool parse_secret(struct conf_set *s, const char *text, void *out)
{
	struct secret *copy = *text ? secret_new(s->ctx, text, strlen(text)) : NULL;

	*(struct secret **)out = copy;
	return copy || !*text;
}

/* Neither --print-config nor a log may show one. */
static void print_secret(const void *value, struct buf *out)
{
	if (*(struct secret *const *)value)
		buf_puts(out, CONF_HIDDEN);
}

/* One element of a list of texts; empty ones count, too. */
static bool parse_item(struct conf_set *s, const char *text, void *out)
{
	char *copy = talloc_strdup(s->ctx, text);

	*(char **)out = copy;
	return copy != NULL;
}

struct facility {
	const char *name;
	int facility;
};

static const struct facility facilities[] = {
	{ "daemon", LOG_DAEMON },     { "user", LOG_USER },	{ "auth", LOG_AUTH },
	{ "authpriv", LOG_AUTHPRIV }, { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },     { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },     { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

/* An unknown facility is fatal: logs would go astray unnoticed. */
static bool parse_facility(struct conf_set *s, const char *text, void *out)
{
	for (size_t i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++) {
		if (strcmp(facilities[i].name, text) == 0) {
			*(int *)out = facilities[i].facility;
			return true;
		}
	}
	conf_set_error(s,
		       "unknown syslog facility: %s; use daemon, user, auth, authpriv or "
		       "local0 to local7",
		       text);
	return false;
}

static void print_facility(const void *value, struct buf *out)
{
	for (size_t i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++)
		if (facilities[i].facility == *(const int *)value)
			buf_puts(out, facilities[i].name);
}

static bool parse_format(struct conf_set *s, const char *text, void *out)
{
	bool json = strcmp(text, "json") == 0;

	if (!json && strcmp(text, "text") != 0) {
		conf_set_error(s, "unknown log format '%s'; use text or json", text);
		return false;
	}
	*(enum conf_log_format *)out = json ? CONF_LOG_JSON : CONF_LOG_TEXT;
	return true;
}

static void print_format(const void *value, struct buf *out)
{
	buf_puts(out, *(const enum conf_log_format *)value == CONF_LOG_JSON ? "json" : "text");
}

/* Unset means new-tunnel (config.md 8.3), which the table's default says. */
static bool parse_rekey(struct conf_set *s, const char *text, void *out)
{
	bool ssl = strcmp(text, "ssl") == 0;

	if (!ssl && strcmp(text, "new-tunnel") != 0) {
		conf_set_error(s, "unknown rekey method '%s'; use ssl or new-tunnel", text);
		return false;
	}
	*(enum conf_rekey *)out = ssl ? CONF_REKEY_SSL : CONF_REKEY_NEW_TUNNEL;
	return true;
}

static void print_rekey(const void *value, struct buf *out)
{
	buf_puts(out, *(const enum conf_rekey *)value == CONF_REKEY_SSL ? "ssl" : "new-tunnel");
}

const struct conf_type conf_type_flag = { "boolean", sizeof(bool), 0, parse_flag, print_flag };
const struct conf_type conf_type_u32 = { "number", sizeof(uint32_t), 0, parse_u32, print_u32 };
const struct conf_type conf_type_secs = { "seconds", sizeof(uint32_t), 0, parse_u32, print_u32 };
const struct conf_type conf_type_ms = { "milliseconds", sizeof(uint32_t), 0, parse_u32, print_u32 };
const struct conf_type conf_type_prefix = { "prefix length", sizeof(uint32_t), 0, parse_u32,
					    print_prefix };
const struct conf_type conf_type_bytes = { "bytes", sizeof(uint64_t), 0, parse_u64, print_u64 };
const struct conf_type conf_type_rate = { "bytes per second", sizeof(uint64_t), 0, parse_rate,
					  print_u64 };
const struct conf_type conf_type_str = { "text", sizeof(char *), 0, parse_str, print_str };
const struct conf_type conf_type_path = { "path", sizeof(char *), 0, parse_str, print_str };
const struct conf_type conf_type_secret = { "secret", sizeof(struct secret *), 0, parse_secret,
					    print_secret };
const struct conf_type conf_type_list = { "list", sizeof(struct strv), sizeof(char *), parse_item,
					  print_str };
const struct conf_type conf_type_facility = { "facility", sizeof(int), 0, parse_facility,
					      print_facility };
const struct conf_type conf_type_format = { "text | json", sizeof(enum conf_log_format), 0,
					    parse_format, print_format };
const struct conf_type conf_type_rekey = { "ssl | new-tunnel", sizeof(enum conf_rekey), 0,
					   parse_rekey, print_rekey };
