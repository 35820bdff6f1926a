/* log.c - formats events and hands them to the process's sink. */
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/str.h"

/* The one sink of the process; NULL until start-up has chosen it. */
static const struct log_sink *sink;

enum { NAME_MAX_LEN = 40 };

struct line {
	char *text;
	size_t len;
};

static void put(struct line *l, const char *s, size_t n)
{
	size_t room = LOG_LINE - 1 - l->len;

	n = n < room ? n : room;
	memcpy(l->text + l->len, s, n);
	l->len += n;
	l->text[l->len] = '\0';
}

static void puts_raw(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* Quoted; control characters, quotes and backslashes as escapes, so that no text from outside
 * can forge a line or a field, or steer a terminal.  UTF-8 passes, but for the second half of the
 * control characters (U+0080 to U+009F), which other bytes are to terminals without UTF-8. */
static void put_quoted(struct line *l, const char *s)
{
	char esc[9];
	size_t n;

	puts_raw(l, "\"");
	for (; *s; s += n ? n : 1) {
		unsigned char c = (unsigned char)*s;

		n = str_utf8_len(s);
		if (c == '"' || c == '\\') {
			snprintf(esc, sizeof esc, "\\%c", c);
			puts_raw(l, esc);
		} else if (c < 0x20 || c == 0x7f || n == 0) {
			snprintf(esc, sizeof esc, "\\x%02x", c);
			puts_raw(l, esc);
		} else if (c == 0xc2 && (unsigned char)s[1] < 0xa0) {
			snprintf(esc, sizeof esc, "\\xc2\\x%02x", (unsigned char)s[1]);
			puts_raw(l, esc);
		} else {
			put(l, s, n);
		}
	}
	puts_raw(l, "\"");
}

static void put_kv(struct line *l, const struct kv *kv)
{
	char num[ADDR_TEXT];

	puts_raw(l, " ");
	puts_raw(l, kv->key);
	puts_raw(l, "=");
	switch (kv->type) {
	case KV_STR:
	case KV_TEXT:
		put_quoted(l, kv->str);
		break;
	case KV_U64:
		snprintf(num, sizeof num, "%" PRIu64, kv->u64);
		puts_raw(l, num);
		break;
	case KV_I64:
		snprintf(num, sizeof num, "%" PRId64, kv->i64);
		puts_raw(l, num);
		break;
	case KV_ADDR:
		puts_raw(l, addr_print(kv->addr, num));
		break;
	case KV_END:
		break;
	}
}

static void put_ctx(struct line *l, const struct log_ctx *ctx)
{
	if (ctx->session && *ctx->session) {
		puts_raw(l, " session=");
		puts_raw(l, ctx->session);
	}
	if (ctx->user && *ctx->user)
		put_kv(l, &(struct kv){ .key = "user", .type = KV_STR, .str = ctx->user });
	if (ctx->vhost && *ctx->vhost && strcmp(ctx->vhost, "default") != 0)
		put_kv(l, &(struct kv){ .key = "vhost", .type = KV_STR, .str = ctx->vhost });
	if (ctx->ip && ctx->ip->family)
		put_kv(l, &(struct kv){ .key = "ip", .type = KV_ADDR, .addr = ctx->ip });
}

void log_format(char text[LOG_LINE], const char *process, const struct log_ctx *ctx,
		const char *event, const struct kv *kvs)
{
	struct line l = { text, 0 };

	puts_raw(&l, process);
	puts_raw(&l, " ");
	puts_raw(&l, event);
	if (ctx)
		put_ctx(&l, ctx);
	for (; kvs->type != KV_END; kvs++)
		put_kv(&l, kvs);
}

bool log_is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return len > 0 && len <= NAME_MAX_LEN && text[len] == '\0';
}

void log_set_sink(const struct log_sink *new_sink)
{
	sink = new_sink;
}

bool log_enabled(enum log_level level)
{
	return level <= (sink ? sink->max : LOG_LVL_NOTICE);
}

void log_event(enum log_level level, const struct log_ctx *ctx, const char *event,
	       const struct kv *kvs)
{
	const struct log_origin self = { sink ? sink->process : "sallyport", getpid() };

	if (sink && sink->relay && log_enabled(level))
		sink->relay(sink->arg, level, ctx, event, kvs);
	else
		log_event_of(&self, level, ctx, event, kvs);
}

void log_event_of(const struct log_origin *origin, enum log_level level, const struct log_ctx *ctx,
		  const char *event, const struct kv *kvs)
{
	char text[LOG_LINE];
	struct timespec now;

	if (!log_enabled(level))
		return;
	if (sink && sink->json) {
		clock_gettime(CLOCK_REALTIME, &now);
		log_format_json(text, origin, level, &now, ctx, event, kvs);
	} else {
		log_format(text, origin->process, ctx, event, kvs);
	}
	if (sink)
		sink->write(sink->arg, level, text);
	else
		fprintf(stderr, "sallyport: %s\n", text);
}

static int syslog_priority(enum log_level level)
{
	switch (level) {
	case LOG_LVL_ERR:
		return LOG_ERR;
	case LOG_LVL_WARN:
		return LOG_WARNING;
	case LOG_LVL_NOTICE:
		return LOG_NOTICE;
	case LOG_LVL_INFO:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

static void write_stderr(void *arg, enum log_level level, const char *text)
{
	(void)arg;
	(void)level;
	dprintf(STDERR_FILENO, "sallyportd[%d]: %s\n", (int)getpid(), text);
}

static void write_stderr_json(void *arg, enum log_level level, const char *text)
{
	(void)arg;
	(void)level;
	dprintf(STDERR_FILENO, "%s\n", text);
}

static void write_syslog(void *arg, enum log_level level, const char *text)
{
	(void)arg;
	syslog(syslog_priority(level), "%s", text);
}

static void write_both(void *arg, enum log_level level, const char *text)
{
	write_stderr(arg, level, text);
	write_syslog(arg, level, text);
}

static void write_both_json(void *arg, enum log_level level, const char *text)
{
	write_stderr_json(arg, level, text);
	write_syslog(arg, level, text);
}

enum log_level log_level_from_verbosity(unsigned verbosity)
{
	/* admin.md 4.2: 0 errors to notices, 1 and 2 informational, 3 debug, 4 HTTP, 5 packets. */
	static const enum log_level levels[] = {
		LOG_LVL_NOTICE, LOG_LVL_INFO, LOG_LVL_INFO, LOG_LVL_DEBUG, LOG_LVL_HTTP,
	};

	return verbosity < 5 ? levels[verbosity] : LOG_LVL_TRAFFIC;
}

void log_sink_system(struct log_sink *out, const char *process, unsigned targets, int facility,
		     unsigned verbosity)
{
	bool json = targets & LOG_AS_JSON;

	*out = (struct log_sink){
		.write = json ? write_both_json : write_both,
		.max = log_level_from_verbosity(verbosity),
		.process = process,
		.json = json,
	};
	if (!(targets & LOG_TO_STDERR))
		out->write = write_syslog;
	else if (!(targets & LOG_TO_SYSLOG))
		out->write = json ? write_stderr_json : write_stderr;
	if (targets & LOG_TO_SYSLOG)
		openlog("sallyportd", LOG_PID, facility);
}

_Noreturn void fatal_bug(const char *what)
{
	log_err(NULL, "bug", kv_str("what", what));
	abort();
}
