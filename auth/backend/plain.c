/* plain.c - the backend `plain`: names, groups and crypt(3) hashes in a file, one-time passwords in
 * another (admin.md 8 and 9, radius.md 9).  The files may be large and a hash is slow on purpose.
 *
 * With one-time passwords a login always takes both steps, whatever was wrong with the password:
 * the client learns that the login failed, the log learns why. */
#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/backend/otp.h"
#include "auth/backend/passwd.h"
#include "auth/backend/plain.h"
#include "auth/backend/work.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

/* Hashed against for unknown users when the file has no hash to copy the cost from. */
static const char fallback_setting[] = "$5$sallyportnobody$";

/* What one pass over the file finds. */
struct lookup {
	const char *user;
	bool found;
	char hash[PASSWD_LINE_MAX + 1];
	char groups[PASSWD_LINE_MAX + 1];
	char decoy[PASSWD_LINE_MAX + 1]; /* the first usable hash of anybody */
};

/* Calls FN for every entry of the file, which is read anew each time: administrators edit it under
 * a running server. */
static enum err each_entry(const char *path,
			   enum err (*fn)(void *arg, const struct passwd_entry *entry), void *arg)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	enum err err = ERR_OK;

	if (!f) {
		log_err(NULL, "passwd-unreadable", kv_str("file", path),
			kv_str("reason", strerror(errno)));
		return ERR_SYS;
	}
	while (!err && (len = getline(&line, &cap, f)) >= 0) {
		struct passwd_entry entry;

		if (!passwd_line_parse(line, (size_t)len, &entry))
			err = fn(arg, &entry);
	}
	if (!err && ferror(f))
		err = ERR_SYS;
	if (line)
		secret_wipe(line, cap);
	free(line);
	fclose(f);
	return err;
}

/* Whether crypt(3) knows what to do with HASH; "*", "x" and the like fail here. */
static bool is_usable(const char *hash)
{
	return *hash && crypt_checksalt(hash) != CRYPT_SALT_INVALID;
}

/* Looks at every entry even after a match, so that the time does not tell where a name stands. */
static enum err look_at(void *arg, const struct passwd_entry *entry)
{
	struct lookup *l = arg;

	if (!l->decoy[0] && is_usable(entry->hash))
		str_copy(l->decoy, sizeof l->decoy, entry->hash);
	if (!l->found && strcmp(entry->user, l->user) == 0) {
		l->found = true;
		str_copy(l->hash, sizeof l->hash, entry->hash);
		str_copy(l->groups, sizeof l->groups, entry->groups);
	}
	return ERR_OK;
}

/* Does PASSWORD give HASH?  Takes as long as crypt(3) takes for HASH's setting. */
static bool hash_matches(const char *password, const char *hash)
{
	struct crypt_data *data = talloc_zero(NULL, struct crypt_data);
	const char *made;
	bool same;

	if (!data)
		return false;
	secret_mark(data);
	made = crypt_rn(password, hash, data, (int)sizeof *data);
	same = made && strlen(made) == strlen(hash) && secret_equal(made, hash, strlen(hash));
	talloc_free(data);
	return same;
}

/* Unknown, locked and broken entries cost a hash like any other, and never match. */
static bool password_ok(const struct lookup *l, const char *password)
{
	const char *hash = l->hash + strspn(l->hash, "!");
	bool may = l->found && hash == l->hash && is_usable(hash);

	if (!is_usable(hash))
		hash = l->decoy[0] ? l->decoy : fallback_setting;
	return hash_matches(password, hash) && may;
}

/* The entry of the user, if there are passwords at all. */
static enum err look_up(TALLOC_CTX *ctx, const struct plain *p, const char *user,
			struct lookup **out)
{
	struct lookup *l = talloc_zero(ctx, struct lookup);

	if (!l)
		return ERR_NOMEM;
	secret_mark(l);
	l->user = user;
	*out = l;
	return p->passwd ? each_entry(p->passwd, look_at, l) : ERR_OK;
}

/* ---- one-time passwords --------------------------------------------------- */

/* What the first step leaves for the second. */
static const uint8_t password_good = 'g', password_bad = 'b';

static enum err grant(TALLOC_CTX *ctx, const struct lookup *l, struct verdict *out)
{
	out->kind = VERDICT_ACCEPT;
	return passwd_groups_parse(ctx, l->groups, &out->groups);
}

/* Why V was refused, after a password that was GOOD or not.  With MOOT the login has its reason. */
static const char *refusal(enum otp_verdict v, bool good, bool moot)
{
	static const char *const reasons[] = {
		[OTP_WRONG] = "wrong one-time password",
		[OTP_REPLAYED] = "one-time password used before",
		[OTP_RIGHT] = "right one-time password",
		[OTP_NO_TOKEN] = "no one-time password token",
	};

	if (good || moot)
		return reasons[v];
	return v == OTP_RIGHT ? "wrong password, right one-time password"
			      : "wrong password and one-time password";
}

/* Log watchers look for this line (admin.md 4.3). */
static void log_code(const char *user, const char *reason)
{
	char *text =
		talloc_asprintf(NULL, "plain-auth: OTP auth failed for '%s': %s", user, reason);

	log_notice(NULL, "otp-refused", kv_text(text ? text : ""));
	talloc_free(text);
}

/* GOOD: the code decides; else the answer is no, after the same work. */
static enum err check_code(TALLOC_CTX *ctx, const struct plain *p, const struct backend_input *in,
			   const struct lookup *l, bool good, struct verdict *out)
{
	bool counts = good && !in->moot;
	enum otp_verdict v;
	enum err err = otp_check(p->otp, in->user, in->answer, clock_unix(), counts, &v);

	if (err)
		return err;
	if (counts && v == OTP_RIGHT)
		return grant(ctx, l, out);
	out->kind = VERDICT_REJECT;
	out->reason = refusal(v, good, in->moot);
	if (v != OTP_RIGHT)
		log_code(in->user, refusal(v, true, false));
	return ERR_OK;
}

static enum err ask_code(bool good, struct verdict *out)
{
	out->kind = VERDICT_PROMPT;
	out->text = "Please enter your OTP password.";
	out->state = good ? &password_good : &password_bad;
	out->state_len = 1;
	return ERR_OK;
}

/* The first step where codes are asked for.  Who has no password may give the code at once. */
static enum err first_of_two(TALLOC_CTX *ctx, const struct plain *p, const struct backend_input *in,
			     const struct lookup *l, struct verdict *out)
{
	bool no_password = !p->passwd || (l->found && !l->hash[0]);
	/* Where only codes count there is nothing that a hash could hide. */
	bool good = p->passwd && password_ok(l, in->answer ? in->answer : "") && in->answer;

	if (no_password && in->answer && *in->answer) {
		enum err err = check_code(ctx, p, in, l, true, out);

		if (err || out->kind == VERDICT_ACCEPT)
			return err;
	}
	return ask_code(good || no_password, out);
}

/* ---- steps ---------------------------------------------------------------- */

/* Why a password did not do, for the log. */
static const char *what_was_wrong(const struct lookup *l)
{
	if (!l->found)
		return "unknown user";
	if (l->hash[0] == '!')
		return "locked";
	return is_usable(l->hash) ? "wrong password" : "no password in the file";
}

/* One password against one entry.  Every way to fail does the same work, and the client is told the
 * same. */
static enum err check_password(TALLOC_CTX *ctx, const struct backend_input *in,
			       const struct lookup *l, struct verdict *out)
{
	if (l->found && !l->hash[0]) {
		/* Never a login without any password, whatever the file says. */
		char *text = talloc_asprintf(
			ctx, "plain-auth: user '%s' has empty password and no OTP file configured",
			in->user);
		log_notice(NULL, "empty-password", kv_text(text ? text : ""));
	}
	out->kind = VERDICT_REJECT;
	if (password_ok(l, in->answer ? in->answer : "") && in->answer)
		return grant(ctx, l, out);
	out->reason = what_was_wrong(l);
	return ERR_OK;
}

static enum err plain_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			   struct verdict *out)
{
	const struct plain *p = conf;
	struct lookup *l;
	enum err err = look_up(ctx, p, in->user, &l);

	if (err)
		return err;
	if (!p->otp)
		return check_password(ctx, in, l, out);
	if (!in->state_len)
		return first_of_two(ctx, p, in, l, out);
	if (!in->answer)
		return ask_code(in->state[0] == password_good, out);
	return check_code(ctx, p, in, l, in->state[0] == password_good, out);
}

/* A locked or removed user keeps no way in (protocol.md 10.13). */
static enum err plain_allows(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			     struct verdict *out)
{
	const struct plain *p = conf;
	struct lookup *l;
	bool allowed = false;
	enum err err;

	if (!p->passwd) {
		err = otp_has_token(p->otp, in->user, &allowed);
	} else {
		err = look_up(ctx, p, in->user, &l);
		allowed = !err && l->found && l->hash[0] != '!';
	}
	out->kind = allowed ? VERDICT_ACCEPT : VERDICT_REJECT;
	return err;
}

struct all_groups {
	TALLOC_CTX *ctx;
	struct strv *out;
};

static enum err collect_groups(void *arg, const struct passwd_entry *entry)
{
	struct all_groups *g = arg;

	return passwd_groups_parse(g->ctx, entry->groups, g->out);
}

/* For auto-select-group: every name in every entry, locked ones included. */
static enum err plain_groups(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			     struct strv *out)
{
	const struct plain *p = conf;
	struct all_groups g = { ctx, out };

	(void)in;
	return p->passwd ? each_entry(p->passwd, collect_groups, &g) : ERR_OK;
}

const struct backend_work backend_work = {
	.traits = &backend_plain,
	.step = plain_step,
	.allows = plain_allows,
	.groups = plain_groups,
};
