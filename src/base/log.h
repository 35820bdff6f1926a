/* log.h - structured logging: an event name, then typed key=value pairs.  Used by all processes.
 *
 *	log_info(&s->log, "login-refused", kv_str("user", user), kv_u64("try", n));
 *
 * gives one line  `auth login-refused session=9f3aQx ip=192.0.2.7 user="ann" try=2`, or with
 * `log-format = json` an object (log_json.c).  The context (process, session) comes first; strings
 * from outside are quoted and escaped here.  A text that log watchers match verbatim goes into
 * kv_text(): it is printed as msg="...".  Every event is described in sallyport-events(7).
 * Secrets are never passed to a logger. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/addr.h"
#include "base/err.h"

/* ERR: a human must act.  WARN: a peer misbehaved.  NOTICE: as the specification names it.
 * INFO: one line per session milestone.  The rest is for people who look for a fault. */
enum log_level {
	LOG_LVL_ERR,
	LOG_LVL_WARN,
	LOG_LVL_NOTICE,
	LOG_LVL_INFO,
	LOG_LVL_DEBUG,
	LOG_LVL_HTTP,	 /* requests and responses without secrets */
	LOG_LVL_TRAFFIC, /* packets */
};

enum kv_type { KV_END, KV_STR, KV_U64, KV_I64, KV_ADDR, KV_TEXT };

struct kv {
	const char *key;
	enum kv_type type;
	union {
		const char *str;
		uint64_t u64;
		int64_t i64;
		const struct addr *addr;
	};
};

/* What a line is about; empty members are left out.  Members are borrowed. */
struct log_ctx {
	const char *session; /* short session id (6 characters) */
	const char *user;
	const char *vhost; /* NULL or "default" is not printed */
	const struct addr *ip;
};

/* Where finished lines go.  TEXT is one line without a newline. */
struct log_sink {
	void (*write)(void *arg, enum log_level level, const char *text);
	void *arg;
	enum log_level max;  /* lines above are dropped before formatting */
	const char *process; /* "main", "auth", "worker", ...: first word of each line */
	bool json;
	/* Instead of write: hands the event itself on, to be formatted elsewhere. */
	void (*relay)(void *arg, enum log_level level, const struct log_ctx *ctx, const char *event,
		      const struct kv *kvs);
};

/* Who speaks. */
struct log_origin {
	const char *process;
	int64_t pid; /* 0: not known */
};

enum {
	LOG_LINE = 2048, /* longer lines are cut */
	LOG_FIELDS = 16, /* pairs of an event that a worker hands on */
};

/* Whether TEXT may be the name of an event or a key: lower-case letters, digits, '-', '_'. */
bool log_is_name(const char *text);

/* The process's sink; SINK is borrowed until replaced.  NULL: stderr at NOTICE. */
void log_set_sink(const struct log_sink *sink);
bool log_enabled(enum log_level level);

/* A ready-made sink: lines to stderr as "NAME[PID]: text", to syslog, or both.  JSON lines say who
 * speaks themselves, so stderr has nothing but them. */
enum log_target { LOG_TO_STDERR = 1, LOG_TO_SYSLOG = 2, LOG_AS_JSON = 4 };
void log_sink_system(struct log_sink *sink, const char *process, unsigned targets, int facility,
		     unsigned verbosity);

/* The threshold that `log-level`/`-d` (0..9) stands for. */
enum log_level log_level_from_verbosity(unsigned verbosity);

/* Formats one line into TEXT (LOG_LINE bytes).  Pure; used by log_event and by tests. */
void log_format(char text[LOG_LINE], const char *process, const struct log_ctx *ctx,
		const char *event, const struct kv *kvs);

/* The same as a JSON object, valid and in UTF-8 whatever the strings hold; what does not fit is cut
 * inside a string or left out.  NOW is the time it carries. */
void log_format_json(char text[LOG_LINE], const struct log_origin *origin, enum log_level level,
		     const struct timespec *now, const struct log_ctx *ctx, const char *event,
		     const struct kv *kvs);

/* CTX may be NULL.  KVS ends with KV_END. */
void log_event(enum log_level level, const struct log_ctx *ctx, const char *event,
	       const struct kv *kvs);

/* The same for an event of another process, which has no sink of its own. */
void log_event_of(const struct log_origin *origin, enum log_level level, const struct log_ctx *ctx,
		  const char *event, const struct kv *kvs);

/* A failed invariant: logs and aborts the process. */
_Noreturn void fatal_bug(const char *what);

static inline struct kv kv_str(const char *key, const char *v)
{
	return (struct kv){ .key = key, .type = KV_STR, .str = v ? v : "" };
}

static inline struct kv kv_u64(const char *key, uint64_t v)
{
	return (struct kv){ .key = key, .type = KV_U64, .u64 = v };
}

static inline struct kv kv_i64(const char *key, int64_t v)
{
	return (struct kv){ .key = key, .type = KV_I64, .i64 = v };
}

static inline struct kv kv_addr(const char *key, const struct addr *v)
{
	return (struct kv){ .key = key, .type = KV_ADDR, .addr = v };
}

static inline struct kv kv_err(enum err err)
{
	return (struct kv){ .key = "error", .type = KV_STR, .str = err_text(err) };
}

/* The verbatim message of this event; format it first (talloc_asprintf, snprintf). */
static inline struct kv kv_text(const char *text)
{
	return (struct kv){ .key = "msg", .type = KV_TEXT, .str = text };
}

#ifdef __cppcheck__ /* whose preprocessor knows no __VA_OPT__ */
#define LOG_KVS(...) NULL
#else
#define LOG_KVS(...) ((const struct kv[]){ __VA_ARGS__ __VA_OPT__(, ){ .type = KV_END } })
#endif
#define log_err(ctx, event, ...)    log_event(LOG_LVL_ERR, ctx, event, LOG_KVS(__VA_ARGS__))
#define log_warn(ctx, event, ...)   log_event(LOG_LVL_WARN, ctx, event, LOG_KVS(__VA_ARGS__))
#define log_notice(ctx, event, ...) log_event(LOG_LVL_NOTICE, ctx, event, LOG_KVS(__VA_ARGS__))
#define log_info(ctx, event, ...)   log_event(LOG_LVL_INFO, ctx, event, LOG_KVS(__VA_ARGS__))
#define log_debug(ctx, event, ...)  log_event(LOG_LVL_DEBUG, ctx, event, LOG_KVS(__VA_ARGS__))

#endif /* BASE_LOG_H */
