/* work.h - what the runner program of a backend defines: the work that may block.
 * Each backend has a program of its own, sallyport-runner-NAME, so that nobody carries libraries of
 * backends that are not in use, and a fault in one reaches no other.  Used by auth/runner_main.c.
 */
#ifndef AUTH_BACKEND_WORK_H
#define AUTH_BACKEND_WORK_H

#include <stdint.h>

#include "auth/backend/backend.h"

enum acct_kind { ACCT_START = 1, ACCT_STOP = 2, ACCT_INTERIM = 3 }; /* RFC 2866 5.1 */

/* One accounting record (radius.md 5).  Borrowed for the call. */
struct acct_record {
	enum acct_kind kind;
	const char *sid, *user, *group, *vhost, *user_agent;
	struct endpoint remote, local;
	struct addr v4, v6;	       /* inner addresses; family 0: none */
	int64_t started;	       /* UNIX time of the login */
	uint32_t seconds;	       /* from login to last activity */
	uint32_t delay;		       /* seconds since what it tells happened */
	uint64_t rx_bytes, rx_packets; /* from the client, over all tunnels of the session */
	uint64_t tx_bytes, tx_packets; /* to the client */
	uint32_t terminate_cause;      /* ACCT_STOP: RFC 2866 5.10 */
};

/* CONF is what traits->open made.  Members that the traits do not announce are NULL.  Results are
 * children of CTX.  An error is like VERDICT_ERROR. */
struct backend_work {
	const struct auth_backend *traits;
	bool as_root; /* runs foreign modules, which change files of others or who they are */
	enum err (*step)(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			 struct verdict *out);
	/* Whether USER may open further tunnels with the session of an earlier login: ACCEPT or
	 * REJECT. */
	enum err (*allows)(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			   struct verdict *out);
	/* All groups anybody may have, for auto-select-group. */
	enum err (*groups)(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			   struct strv *out);
	/* OUT: ACCEPT when the record was taken, REJECT when it was refused. */
	enum err (*account)(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    const struct acct_record *rec, struct verdict *out);
	enum err (*relay)(TALLOC_CTX *ctx, const void *conf, const uint8_t *payload, size_t len,
			  struct verdict *out);
};

/* Defined once in each runner program. */
extern const struct backend_work backend_work;

#endif /* AUTH_BACKEND_WORK_H */
