/* steer.h - datagrams of no known association: to which session do they belong (protocol.md 6.3)?
 * Used by main only; the decision is pure. */
#ifndef MAIN_STEER_H
#define MAIN_STEER_H

#include "base/addr.h"
#include "main/ctx.h"

struct session;

/* What a datagram can be, from its bytes alone. */
enum steer_kind {
	STEER_NOTHING, /* dropped without a word */
	STEER_HELLO,   /* a ClientHello with an id */
	STEER_RECORD,  /* may belong to an association whose client moved */
};

struct steer_hint {
	enum steer_kind kind;
	uint8_t id[32];
	size_t id_len;
};

/* Looks at LEN bytes.  Pure. */
void steer_read(const uint8_t *data, size_t len, struct steer_hint *out);

/* A datagram of KIND from FROM at NOW_MS (clock_ms) is handed to S.  Pure; does not look up. */
bool steer_accepts(const struct session *s, enum steer_kind kind, const struct endpoint *from,
		   uint64_t now_ms);

MUST_USE enum err steer_new(struct main_ctx *m, struct steer **out);

/* Reads the UDP listener FD, which is taken. */
MUST_USE enum err steer_add(struct steer *st, int fd);

#endif /* MAIN_STEER_H */
