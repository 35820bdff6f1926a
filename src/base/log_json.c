/* log_json.c - one event as one JSON object (RFC 8259).  Pure.
 *
 *	{"time":"2026-11-22T07:06:11.042Z","level":"info","process":"main","pid":812,
 *	 "event":"connected","session":"9f3aQx","user":"ann","vhost":"default","ip":"192.0.2.7",...}
 *
 * Keys are those of the text form, each once: a pair of the event wins over a member of the context
 * with the same key, and `process` or `pid` of an event about another process than the one that
 * speaks is `about_process` or `about_pid`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

/* ROOM is what is left after the last brace and the NUL. */
struct object {
	char *at;
	size_t room;
};

static bool put(struct object *o, const char *s, size_t n)
{
	if (n > o->room)
		return false;
	memcpy(o->at, s, n);
	o->at += n;
	o->room -= n;
	return true;
}

/* How TEXT's first character is written in a JSON string; its length in TEXT. */
static size_t escaped(const char *text, char out[8])
{
	size_t n = str_utf8_len(text);
	unsigned char c = (unsigned char)*text;

	if (n == 0)
		strcpy(out, "\\ufffd"); /* one byte that is no UTF-8 */
	else if (c == '"' || c == '\\')
		snprintf(out, 8, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		snprintf(out, 8, "\\u%04x", c);
	else if (n == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0)
		snprintf(out, 8, "\\u%04x", (unsigned char)text[1]);
	else
		snprintf(out, 8, "%.*s", (int)n, text);
	return n ? n : 1;
}

/* A string that does not fit ends where it must. */
static void put_string(struct object *o, const char *text)
{
	char one[8];

	if (o->room < 2)
		return;
	(void)put(o, "\"", 1);
	o->room--; /* for the quote at the end */
	for (size_t n; *text; text += n) {
		n = escaped(text, one);
		if (!put(o, one, strlen(one)))
			break;
	}
	o->room++;
	(void)put(o, "\"", 1);
}

static void put_value(struct object *o, const struct kv *kv)
{
	char text[ADDR_TEXT];

	switch (kv->type) {
	case KV_STR:
	case KV_TEXT:
		put_string(o, kv->str);
		break;
	case KV_U64:
		(void)put(o, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, kv->u64));
		break;
	case KV_I64:
		(void)put(o, text, (size_t)snprintf(text, sizeof text, "%" PRId64, kv->i64));
		break;
	case KV_ADDR:
		put_string(o, addr_print(kv->addr, text));
		break;
	case KV_END:
		break;
	}
}

/* The keys that say who speaks. */
static bool is_taken(const char *key)
{
	return strcmp(key, "process") == 0 || strcmp(key, "pid") == 0;
}

/* A pair whose value would not have the room of a number or an address is left out. */
static void put_pair(struct object *o, const char *key, const struct kv *kv)
{
	size_t len = strlen(key);

	if (o->room < len + 4 + ADDR_TEXT)
		return;
	(void)put(o, ",\"", 2);
	(void)put(o, key, len);
	(void)put(o, "\":", 2);
	put_value(o, kv);
}

static void put_event_pair(struct object *o, const struct kv *kv)
{
	char about[64];

	snprintf(about, sizeof about, "about_%s", kv->key);
	put_pair(o, is_taken(kv->key) ? about : kv->key, kv);
}

static void put_text(struct object *o, const char *key, const char *text)
{
	put_pair(o, key, &(struct kv){ .type = KV_STR, .str = text });
}

static bool has_key(const struct kv *kvs, const char *key)
{
	for (; kvs->type != KV_END; kvs++)
		if (strcmp(kvs->key, key) == 0)
			return true;
	return false;
}

static void put_ctx(struct object *o, const struct log_ctx *ctx, const struct kv *kvs)
{
	const struct kv member[] = {
		kv_str("session", ctx->session),
		kv_str("user", ctx->user),
		kv_str("vhost", ctx->vhost),
	};

	for (size_t i = 0; i < sizeof member / sizeof member[0]; i++)
		if (*member[i].str && !has_key(kvs, member[i].key))
			put_pair(o, member[i].key, &member[i]);
	if (ctx->ip && ctx->ip->family && !has_key(kvs, "ip"))
		put_pair(o, "ip", &(struct kv){ .type = KV_ADDR, .addr = ctx->ip });
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_LVL_ERR] = "error",       [LOG_LVL_WARN] = "warning",
		[LOG_LVL_NOTICE] = "notice",   [LOG_LVL_INFO] = "info",
		[LOG_LVL_DEBUG] = "debug",     [LOG_LVL_HTTP] = "http",
		[LOG_LVL_TRAFFIC] = "traffic",
	};

	return names[level];
}

void log_format_json(char text[LOG_LINE], const struct log_origin *origin, enum log_level level,
		     const struct timespec *now, const struct log_ctx *ctx, const char *event,
		     const struct kv *kvs)
{
	struct object o = { text, LOG_LINE - 2 };
	char time[32], head[64];
	struct tm tm;

	gmtime_r(&now->tv_sec, &tm);
	strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(head, sizeof head, "{\"time\":\"%s.%03ldZ\"", time, now->tv_nsec / 1000000);
	(void)put(&o, head, strlen(head));
	put_text(&o, "level", level_name(level));
	put_text(&o, "process", origin->process);
	if (origin->pid)
		put_pair(&o, "pid", &(struct kv){ .type = KV_I64, .i64 = origin->pid });
	put_text(&o, "event", event);
	if (ctx)
		put_ctx(&o, ctx, kvs);
	for (; kvs->type != KV_END; kvs++)
		put_event_pair(&o, kvs);
	strcpy(o.at, "}");
}
