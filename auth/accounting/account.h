/* account.h - one account from the inside.  Used within auth/accounting. */
#ifndef AUTH_ACCOUNTING_ACCOUNT_H
#define AUTH_ACCOUNTING_ACCOUNT_H

#include "auth/accounting/accounting.h"
#include "auth/store/ticket.h"
#include "base/buf.h"
#include "base/log.h"

enum { ACCOUNT_BUCKETS = 1024 };

/* Records that wait: bits. */
enum pending { PENDING_INTERIM = 1, PENDING_STOP = 2 };

/* What the journal has besides the strings, as it lies in memory. */
struct facts {
	char sid[TICKET_SID + 1];
	uint8_t pending;
	bool asked;   /* a Start was sent, its answer is not known */
	bool started; /* it was taken */
	bool up;      /* there is a tunnel */
	bool over, start_only;
	uint32_t interval, cause;
	struct endpoint remote, local;
	struct addr v4, v6;
	int64_t begun;	 /* UNIX time of the login */
	int64_t active;	 /* of the end of the last tunnel; 0: none has ended */
	int64_t counted; /* of `total` */
	int64_t ended;	 /* of the end of the session */
	struct acct_traffic total;
};

/* What is under way or waits for one host's server. */
struct line {
	char *vhost;
	struct account *head, **tail;
	unsigned under_way, failures; /* in a row */
	int64_t retry;		      /* UNIX time of the next try after a failure */
	struct line *next;
};

struct account {
	struct accounting *in;
	struct facts f;
	/* Children, never NULL. */
	const char *user, *group, *vhost, *user_agent;

	/* Not in the journal. */
	uint64_t worker;	/* who waits for the answer to the Start; 0: nobody */
	TALLOC_CTX *start;	/* owner of a Start under way; NULL: none */
	TALLOC_CTX *sent;	/* the same of another record */
	enum pending sent_kind; /* what that is */
	bool again;		/* a newer Interim waits for the end of that one */
	int64_t due;		/* of the next Interim */
	int64_t patience;	/* over, but the tunnel's last numbers are awaited until then */
	struct line *line;	/* in whose queue it waits; NULL: none */
	struct account *q_next, **q_prev;
	struct account *by_sid, *next, **prev;
};

struct accounting {
	struct journal *journal;
	const struct acct_ops *ops;
	void *arg;
	struct acct_limits limits;
	struct account *first, *by_sid[ACCOUNT_BUCKETS];
	struct account *cursor; /* where a walk over all goes on, whoever is freed meanwhile */
	struct line *line;
	unsigned queued, under_way;
	bool stopping;
};

/* ---- accounting.c ---- */

void account_save(const struct account *ac);
void account_free(struct account *ac); /* also from the journal */
struct log_ctx account_log(const struct account *ac, char sid_short[TICKET_SHORT + 1]);

/* ---- queue.c ---- */

/* A record of AC waits: puts it into its line and sends what may be sent. */
void queue_add(struct account *ac);
void queue_remove(struct account *ac);

/* Sends what may be sent by now, in every line. */
void queue_run(struct accounting *a);

/* Forgets how long to wait after failures: there is no later. */
void queue_hurry(struct accounting *a);

/* Gives the records up that wait longer than they may.  May free AC. */
void queue_age(struct account *ac, int64_t now);

/* Logs that the waiting records of AC are given up because of WHY.  May free AC. */
void queue_drop(struct account *ac, const char *why);

/* The record of KIND as it is now. */
struct acct_record account_record(const struct account *ac, enum acct_kind kind);

/* ---- record.c ---- */

/* AC as a journal value, and back as a child of CTX.  Pure.  ERR_TOO_LONG; ERR_SYNTAX. */
MUST_USE enum err account_encode(const struct account *ac, struct buf *out);
MUST_USE enum err account_decode(TALLOC_CTX *ctx, const uint8_t *data, size_t len,
				 struct account **out);

#endif /* AUTH_ACCOUNTING_ACCOUNT_H */
