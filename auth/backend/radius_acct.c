/* radius_acct.c - accounting records by RADIUS (radius.md 5.2, RFC 2866). */
#include "auth/backend/radius_acct.h"

#include "auth/backend/radius_round.h"

enum { FRAMED_PPP = 1, AUTHENTIC_RADIUS = 1, WORD_BITS = 32 };

/* Packet counters have no second word; they stop at the top rather than begin anew. */
static uint32_t cap(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Gigawords are there even when they are zero: some servers take the absence for an old client and
 * ignore the rest. */
static void add_counters(struct radius_attrs *a, const struct acct_record *rec)
{
	if (rec->seconds)
		radius_add_number(a, RADIUS_ACCT_SESSION_TIME, rec->seconds);
	radius_add_number(a, RADIUS_ACCT_INPUT_OCTETS, (uint32_t)rec->rx_bytes);
	radius_add_number(a, RADIUS_ACCT_INPUT_GIGAWORDS, (uint32_t)(rec->rx_bytes >> WORD_BITS));
	radius_add_number(a, RADIUS_ACCT_INPUT_PACKETS, cap(rec->rx_packets));
	radius_add_number(a, RADIUS_ACCT_OUTPUT_OCTETS, (uint32_t)rec->tx_bytes);
	radius_add_number(a, RADIUS_ACCT_OUTPUT_GIGAWORDS, (uint32_t)(rec->tx_bytes >> WORD_BITS));
	radius_add_number(a, RADIUS_ACCT_OUTPUT_PACKETS, cap(rec->tx_packets));
}

enum err radius_acct_request(TALLOC_CTX *ctx, const struct radius *line,
			     const struct backend_input *in, const struct acct_record *rec,
			     struct radius_attrs *out)
{
	*out = (struct radius_attrs){ .ctx = ctx };
	radius_add_number(out, RADIUS_ACCT_STATUS_TYPE, rec->kind);
	radius_add_text(out, RADIUS_USER_NAME, rec->user);
	radius_add_common(out, line, in);
	radius_add_number(out, RADIUS_SERVICE_TYPE, RADIUS_FRAMED);
	radius_add_number(out, RADIUS_FRAMED_PROTOCOL, FRAMED_PPP);
	radius_add_number(out, RADIUS_ACCT_AUTHENTIC, AUTHENTIC_RADIUS);
	radius_add_addr(out, RADIUS_FRAMED_IP_ADDRESS, RADIUS_FRAMED_IPV6_ADDRESS, &rec->v4);
	radius_add_addr(out, RADIUS_FRAMED_IP_ADDRESS, RADIUS_FRAMED_IPV6_ADDRESS, &rec->v6);
	if (rec->delay)
		radius_add_number(out, RADIUS_ACCT_DELAY_TIME, rec->delay);
	if (rec->kind == ACCT_START)
		radius_add_text(out, RADIUS_CONNECT_INFO, rec->user_agent);
	else
		add_counters(out, rec);
	if (rec->kind == ACCT_STOP)
		radius_add_number(out, RADIUS_ACCT_TERMINATE_CAUSE, rec->terminate_cause);
	return out->failed ? ERR_NOMEM : ERR_OK;
}

enum err radius_account(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			const struct acct_record *rec, struct verdict *out)
{
	const struct radius *line = conf;
	struct radius_attrs request;
	struct radius_answer answer;
	const struct radius_server *server = NULL;
	struct radius_round round = { line, in, &request, NULL, true };
	enum err err = radius_acct_request(ctx, line, in, rec, &request);

	if (!err)
		err = radius_round(ctx, &round, &answer, &server, out);
	if (err)
		return err;
	/* RFC 2866 knows no refusal: what is not acknowledged may be so at the next try. */
	out->kind = answer.code == RADIUS_OK ? VERDICT_ACCEPT : VERDICT_ERROR;
	out->reason = talloc_asprintf(ctx, "code %d", answer.code);
	return out->reason ? ERR_OK : ERR_NOMEM;
}
