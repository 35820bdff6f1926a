/* otp_token.c - reads and rewrites lines of an OTP users file. */
#include "auth/backend/otp_token.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/str.h"

enum { FIELDS = 7, STEP_DEFAULT = 30, STEP_MAX = 86400 };

/* The fields of a line, which is cut up in a copy. */
struct fields {
	char *item[FIELDS];
	size_t end[FIELDS]; /* offset behind the field in the line */
	size_t n;
	char copy[OTP_LINE_MAX + 1];
};

static bool split(const char *line, size_t len, struct fields *f)
{
	char *save = NULL;

	f->n = 0;
	if (len > OTP_LINE_MAX || memchr(line, '\0', len))
		return false;
	memcpy(f->copy, line, len);
	f->copy[len] = '\0';
	for (char *p = strtok_r(f->copy, " \t\r", &save); p && f->n < FIELDS;
	     p = strtok_r(NULL, " \t\r", &save)) {
		f->end[f->n] = (size_t)(p - f->copy) + strlen(p);
		f->item[f->n++] = p;
	}
	return f->n >= 4 && f->item[0][0] != '#';
}

/* HOTP, HOTP/E, HOTP/T30, each perhaps with /DIGITS. */
static bool parse_type(char *type, struct otp_token *t)
{
	char *save = NULL, *part = strtok_r(type, "/", &save);
	uint64_t n;

	if (!part || strcmp(part, "HOTP") != 0)
		return false;
	while ((part = strtok_r(NULL, "/", &save))) {
		if (strcmp(part, "E") == 0)
			t->step = 0;
		else if (strcmp(part, "T") == 0)
			t->step = STEP_DEFAULT;
		else if (part[0] == 'T' && !str_to_u64(part + 1, STEP_MAX, &n) && n)
			t->step = (unsigned)n;
		else if (!str_to_u64(part, 8, &n) && n >= 6)
			t->digits = (unsigned)n;
		else
			return false;
	}
	return true;
}

static bool parse_state(const struct fields *f, struct otp_token *t)
{
	if (f->n > 4 && str_to_u64(f->item[4], UINT64_MAX, &t->counter))
		return false;
	if (f->n > 5)
		str_copy(t->last, sizeof t->last, f->item[5]);
	return true;
}

static bool parse_line(const char *line, size_t len, const char *user, struct fields *f,
		       struct otp_token *t)
{
	size_t hex;

	if (!split(line, len, f) || strcmp(f->item[1], user) != 0)
		return false;
	hex = strlen(f->item[3]);
	t->secret_len = hex / 2;
	t->head = f->end[3];
	return hex >= 2 && hex % 2 == 0 && hex / 2 <= OTP_SECRET_MAX &&
	       !hex_decode(f->item[3], t->secret, t->secret_len) && parse_type(f->item[0], t) &&
	       parse_state(f, t);
}

bool otp_token_next(const char *text, size_t len, const char *user, size_t *pos,
		    struct otp_token *out)
{
	struct fields f;
	bool found = false;

	while (!found && *pos < len) {
		const char *line = text + *pos, *end = memchr(line, '\n', len - *pos);
		size_t n = end ? (size_t)(end - line) : len - *pos;

		*out = (struct otp_token){ .at = *pos, .len = n };
		found = parse_line(line, n, user, &f, out);
		*pos += n + (end ? 1 : 0);
	}
	secret_wipe(&f, sizeof f);
	return found;
}

enum err otp_token_write(TALLOC_CTX *ctx, const char *text, size_t len,
			 const struct otp_token *token, const struct otp_use *use, char **out,
			 size_t *out_len)
{
	size_t kept = token->at + token->head, rest = token->at + token->len, n;
	time_t now = (time_t)use->now;
	char state[96], when[32], *made;
	struct tm tm;

	/* The toolkit's own notation: local time, marked by an L. */
	if (!localtime_r(&now, &tm) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SL", &tm))
		return ERR_RANGE;
	n = (size_t)snprintf(state, sizeof state, "\t%llu\t%s\t%s",
			     (unsigned long long)use->counter, use->code, when);
	if (n >= sizeof state)
		return ERR_TOO_LONG;
	made = talloc_size(ctx, kept + n + (len - rest) + 1);
	if (!made)
		return ERR_NOMEM;
	secret_mark(made);
	memcpy(made, text, kept);
	memcpy(made + kept, state, n);
	memcpy(made + kept + n, text + rest, len - rest);
	*out_len = kept + n + (len - rest);
	made[*out_len] = '\0';
	*out = made;
	return ERR_OK;
}
