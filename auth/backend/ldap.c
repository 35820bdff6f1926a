/* ldap.c - the backend `ldap`: who somebody is, a directory server knows.  Runs in runners.
 *
 * A login is one conversation with one server: bind as the service, search the user's entry, bind
 * as the user with his password, read his groups.  When a server fails at any point, the next one
 * is asked from the start.
 *
 * Nothing that a client can see may depend on whether a name exists.  A name that is not found is
 * bound like any other, with a DN that does not exist; since servers answer that without hashing a
 * password, every refusal is held back until the time of a password check has passed. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/backend/ldap_dir.h"
#include "auth/backend/ldap_groups.h"
#include "auth/backend/ldap_keep.h"
#include "auth/backend/ldap_text.h"
#include "auth/backend/work.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"

enum {
	BUDGET_MS = 25000, /* for all servers together; a runner is killed after 30 seconds */
	PASSWORD_MAX = 1024,
};

/* One job. */
struct job {
	TALLOC_CTX *ctx;
	const struct ldap_line *line;
	const struct backend_input *in;
	char *service_password; /* NULL: anonymous */
	struct ldap_keep keep;
	uint64_t until; /* clock_ms */
	struct dir *dir;
	uint64_t connected; /* clock_ms */
};

/* ---- beginning ------------------------------------------------------------ */

/* The first line of the file.  Its mode was checked with the auth line. */
static enum err read_password(struct job *j)
{
	int fd = open(j->line->bindpw_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = talloc_zero_array(j->ctx, char, PASSWORD_MAX + 1);
	ssize_t n = -1;

	if (text && fd >= 0) {
		secret_mark(text);
		n = read(fd, text, PASSWORD_MAX);
	}
	if (fd >= 0)
		close(fd);
	if (n < 0 || !text)
		return ERR_SYS;
	text[strcspn(text, "\r\n")] = '\0';
	j->service_password = text;
	return *text ? ERR_OK : ERR_CONF;
}

static enum err job_init(struct job *j, TALLOC_CTX *ctx, const void *conf,
			 const struct backend_input *in)
{
	enum err err;

	*j = (struct job){ .ctx = ctx, .line = conf, .in = in, .until = clock_ms() + BUDGET_MS };
	err = in ? ldap_keep_read(ctx, in->kept, in->kept_len, &j->keep) : ERR_OK;
	if (!err && j->line->binddn) {
		err = read_password(j);
		if (err)
			log_err(NULL, "ldap-no-password", kv_str("file", j->line->bindpw_file),
				kv_text("the file of bindpw-file holds no password"));
	}
	return err;
}

/* Makes the connection the service's.  ERR_DENIED: it may not. */
static enum err bind_service(struct job *j)
{
	struct dir_policy policy;
	enum err err;

	if (!j->service_password)
		return ERR_OK;
	err = dir_bind(j->dir, j->line->binddn, j->service_password, &policy);
	if (err != ERR_CREDENTIALS)
		return err;
	log_err(NULL, "ldap-binddn-refused", kv_str("dn", j->line->binddn),
		kv_str("reason", policy.reason ? policy.reason : "wrong name or password"));
	return ERR_DENIED;
}

/* Calls WORK with a connection to one server after the other, until one has an answer.  Dead ones
 * come last: they may have come back, and then they are better than none. */
static enum err with_servers(struct job *j, enum err (*work)(struct job *j, void *arg), void *arg)
{
	const struct strv *uris = &j->line->uri;
	const struct ldap_keep before = j->keep;
	int64_t now = clock_unix();
	enum err err = ERR_TIMEOUT;

	for (size_t i = 0; i < 2 * uris->n; i++) {
		const char *uri = uris->item[i % uris->n];

		if (ldap_keep_is_dead(&before, uri, now) != (i >= uris->n))
			continue;
		if (clock_ms() >= j->until)
			break;
		err = dir_open(j->ctx, j->line, uri, j->until, &j->dir);
		if (!err) {
			j->connected = clock_ms();
			err = work(j, arg);
			TALLOC_FREE(j->dir);
		}
		if (!dir_is_trouble(err)) {
			ldap_keep_set_alive(&j->keep, uri);
			break;
		}
		ldap_keep_set_dead(&j->keep, uri, now);
	}
	return err;
}

/* ---- the user's entry ----------------------------------------------------- */

/* *OUT is NULL when there is not exactly one entry. */
static enum err find_entry(struct job *j, const struct dir_query *q, const struct dir_entry **out)
{
	struct dir_entries found = { .n = 0 };
	enum err err = dir_search(j->ctx, j->dir, q, &found);

	*out = NULL;
	if (err == ERR_EXHAUSTED || (!err && found.n > 1)) {
		log_warn(NULL, "ldap-ambiguous", kv_str("user", j->in->user),
			 kv_str("filter", q->filter),
			 kv_text("more than one entry has this name; nobody gets in by it"));
		return ERR_OK;
	}
	if (err == ERR_NOT_FOUND && q->scope != LDAP_SCOPE_ENTRY)
		log_warn(NULL, "ldap-no-base", kv_str("base", q->base),
			 kv_text("there is nothing where users are searched for"));
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (!err && found.n == 1)
		*out = found.item;
	return err;
}

/* Reads or searches an entry: below BASE those that FILTER describes. */
static enum err get_entry(struct job *j, const char *base, enum ldap_scope scope,
			  const char *filter, const struct dir_entry **out)
{
	const char *const attrs[] = { j->line->user_attr,
				      "userAccountControl",
				      "nsAccountLock",
				      "pwdAccountLockedTime",
				      "accountExpires",
				      j->line->group_attr,
				      NULL };
	const struct dir_query q = { base, scope, filter, attrs, 2 };

	return find_entry(j, &q, out);
}

/* The entry that the template of the auth line names. */
static enum err read_named(struct job *j, const char *dn, const struct dir_entry **out)
{
	const struct ldap_names names = { j->in->user, NULL };
	char *filter;
	enum err err = ldap_expand(j->ctx, j->line->filter, LDAP_FOR_FILTER, &names, &filter);

	return err ? err : get_entry(j, dn, LDAP_SCOPE_ENTRY, filter, out);
}

static enum err search_user(struct job *j, const struct dir_entry **out)
{
	const struct ldap_names names = { j->in->user, NULL };
	char *filter;
	enum err err = ldap_expand(j->ctx, j->line->filter, LDAP_FOR_FILTER, &names, &filter);

	return err ? err : get_entry(j, j->line->base, j->line->scope, filter, out);
}

/* Whom an earlier login called NAME.  He may have typed something else then, so the attribute has
 * to have his name, and the filter to match for whatever he typed. */
static enum err search_known(struct job *j, const struct dir_entry **out)
{
	const struct ldap_names user = { j->in->user, NULL }, any = { NULL, NULL };
	char *template = talloc_asprintf(j->ctx, "(%s=%%u)", j->line->user_attr);
	char *name, *rest, *filter;
	enum err err = ERR_NOMEM;

	if (template)
		err = ldap_expand(j->ctx, template, LDAP_FOR_FILTER, &user, &name);
	if (!err)
		err = ldap_expand(j->ctx, j->line->filter, LDAP_FOR_FILTER, &any, &rest);
	if (err)
		return err;
	filter = talloc_asprintf(j->ctx, "(&%s%s)", name, rest);
	return filter ? get_entry(j, j->line->base, j->line->scope, filter, out) : ERR_NOMEM;
}

static enum err user_dn(struct job *j, char **out)
{
	const struct ldap_names names = { j->in->user, NULL };

	return ldap_expand(j->ctx, j->line->user_dn, LDAP_FOR_DN, &names, out);
}

static const char *first_value(const struct dir_entry *e, const char *attr)
{
	const struct strv *values = dir_values(e, attr);

	return values->n ? values->item[0] : "";
}

/* Active Directory counts tenths of microseconds since 1601; 0 and the largest number mean never
 * ([MS-ADA1] 2.4). */
static bool has_expired(const char *account_expires)
{
	static const uint64_t second = 10000000, epoch = 11644473600, never = INT64_MAX;
	uint64_t then;

	if (str_to_u64(account_expires, never, &then) || then == 0 || then == never)
		return false;
	return then / second < epoch + (uint64_t)clock_unix();
}

/* Marks that servers set on entries.  LOCKED: those, too, that some leave behind after a lock has
 * run out, so that they mean something only while nobody logs in. */
static bool is_disabled(const struct dir_entry *e, bool locked)
{
	enum { ACCOUNTDISABLE = 2 }; /* [MS-ADTS] 2.2.16 */
	static const char for_ever[] = "000001010000Z";
	const char *since = first_value(e, "pwdAccountLockedTime");

	if (strtoul(first_value(e, "userAccountControl"), NULL, 10) & ACCOUNTDISABLE)
		return true;
	if (strcasecmp(first_value(e, "nsAccountLock"), "true") == 0 ||
	    has_expired(first_value(e, "accountExpires")))
		return true;
	return locked ? *since : strcmp(since, for_ever) == 0;
}

/* The name by which the user is known here from now on: one for each entry, whatever he typed. That
 * of the DN, if it is made of the attribute, or else the first value.  NULL: there is none, or it
 * is no name. */
static const char *canonical_name(TALLOC_CTX *ctx, const struct dir_entry *e, const char *attr)
{
	size_t len = strlen(attr);
	const char *name = first_value(e, attr);
	char *rdn;

	if (strncasecmp(e->dn, attr, len) == 0 && e->dn[len] == '=' &&
	    !ldap_rdn_value(ctx, e->dn, &rdn))
		name = rdn;
	return *name && !str_has_control(name) ? name : NULL;
}

/* ---- a login -------------------------------------------------------------- */

static void refuse(struct verdict *out, const char *reason)
{
	out->kind = VERDICT_REJECT;
	out->reason = reason;
}

/* The password was right. */
static enum err admit(struct job *j, const struct dir_entry *e, struct verdict *out)
{
	const char *name = canonical_name(j->ctx, e, j->line->user_attr);
	enum err err;

	if (!name) {
		log_err(NULL, "ldap-no-name", kv_str("dn", e->dn),
			kv_str("attribute", j->line->user_attr),
			kv_text("the user's entry has no name that could be used; see user-attr"));
		refuse(out, "no name in the entry");
		return ERR_OK;
	}
	/* Groups are searched with the service's rights where it has some, else with the user's. */
	err = ldap_groups_ask(j->line) ? bind_service(j) : ERR_OK;
	if (!err)
		err = ldap_groups_of(j->ctx, j->dir, j->line, j->in->user, e, &out->groups);
	if (err)
		return err;
	out->kind = VERDICT_ACCEPT;
	out->user = name;
	return ERR_OK;
}

/* What the bind as the user came to; E is NULL when there is no such user. */
static enum err judge(struct job *j, enum err bound, const struct dir_policy *policy,
		      const struct dir_entry *e, struct verdict *out)
{
	if (policy->reason)
		log_notice(NULL, "ldap-password-policy", kv_str("user", j->in->user),
			   kv_str("reason", policy->reason));
	if (policy->expired) {
		/* Said only to somebody who knows the password. */
		refuse(out, policy->reason);
		out->text = "Your password has expired. Change it before you log in.";
	} else if (bound) {
		refuse(out, policy->reason ? policy->reason
			    : e		   ? "wrong password"
					   : "no such user");
	} else if (!e) {
		refuse(out, "no entry that can be read and matches the filter");
	} else if (is_disabled(e, false)) {
		refuse(out, "account disabled");
	} else {
		return admit(j, e, out);
	}
	return ERR_OK;
}

/* A password was checked. */
static void took(struct job *j)
{
	ldap_keep_took(&j->keep, (unsigned)(clock_ms() - j->connected), clock_unix());
}

/* Binds as the entry that the template names, and reads it then. */
static enum err login_named(struct job *j, struct verdict *out)
{
	const struct dir_entry *e = NULL;
	struct dir_policy policy;
	char *dn;
	enum err bound, err = user_dn(j, &dn);

	if (err)
		return err;
	bound = dir_bind(j->dir, dn, j->in->answer, &policy);
	if (bound && bound != ERR_CREDENTIALS)
		return bound;
	took(j);
	if (!bound)
		err = bind_service(j);
	if (!bound && !err)
		err = read_named(j, dn, &e);
	if (err)
		return err;
	return judge(j, bound, &policy, e, out);
}

/* A DN below the base that does not exist. */
static char *decoy_dn(struct job *j)
{
	uint8_t random[8];
	char hex[2 * sizeof random + 1];

	secret_random(random, sizeof random);
	return talloc_asprintf(j->ctx, "cn=nobody-%s,%s", hex_encode(random, sizeof random, hex),
			       j->line->base);
}

/* Searches the entry, and binds as it. */
static enum err login_searched(struct job *j, struct verdict *out)
{
	const struct dir_entry *e;
	struct dir_policy policy;
	const char *dn;
	enum err bound, err = bind_service(j);

	if (!err)
		err = search_user(j, &e);
	if (err)
		return err;
	dn = e ? e->dn : decoy_dn(j);
	if (!dn)
		return ERR_NOMEM;
	bound = dir_bind(j->dir, dn, j->in->answer, &policy);
	if (bound && bound != ERR_CREDENTIALS)
		return bound;
	if (e)
		took(j);
	/* Whatever a server may think of a DN that does not exist: it is nobody's. */
	return judge(j, e ? bound : ERR_CREDENTIALS, &policy, e, out);
}

static enum err login(struct job *j, void *arg)
{
	struct verdict *out = arg;

	*out = (struct verdict){ .kind = VERDICT_REJECT };
	return j->line->user_dn ? login_named(j, out) : login_searched(j, out);
}

/* How long a refusal has to be held back until a password check since the connection would be over;
 * consent, too, where the client must not tell them apart (runner_call.even). */
static uint32_t rest_of_wait(const struct job *j)
{
	uint64_t end = j->connected + ldap_keep_wait(&j->keep), now = clock_ms();

	return now < end ? (uint32_t)(end - now) : 0;
}

/* What was learned about the servers stays, even if all of them failed. */
static enum err conclude(struct job *j, enum err err, struct verdict *out)
{
	if (err)
		*out = (struct verdict){ .kind = VERDICT_ERROR, .reason = err_text(err) };
	return ldap_keep_write(j->ctx, &j->keep, &out->keep, &out->keep_len);
}

static enum err ldap_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			  struct verdict *out)
{
	struct job j;
	enum err err = job_init(&j, ctx, conf, in);

	if (err)
		return err;
	if (!in->answer || !*in->answer || !*in->user) {
		refuse(out, "empty password");
		j.connected = clock_ms();
	} else {
		err = with_servers(&j, login, out);
	}
	if (!err && out->kind == VERDICT_REJECT)
		log_info(NULL, "ldap-refused", kv_str("user", in->user),
			 kv_str("reason", out->reason));
	if (!err)
		out->delay_ms = rest_of_wait(&j);
	return conclude(&j, err, out);
}

/* ---- other questions ------------------------------------------------------ */

static enum err look_up(struct job *j, void *arg)
{
	const struct dir_entry *e = NULL;
	struct verdict *out = arg;
	char *dn;
	enum err err = bind_service(j);

	if (!err && j->line->user_dn) {
		err = user_dn(j, &dn);
		if (!err)
			err = read_named(j, dn, &e);
	} else if (!err) {
		err = search_known(j, &e);
	}
	if (err)
		return err;
	out->kind = e && !is_disabled(e, true) ? VERDICT_ACCEPT : VERDICT_REJECT;
	if (out->kind == VERDICT_REJECT)
		log_notice(
			NULL, "ldap-user-gone", kv_str("user", j->in->user),
			kv_str("reason", e ? "account disabled or locked"
					   : "no entry that can be read and matches the filter"));
	return ERR_OK;
}

/* A user who was removed, disabled, or is no longer what the filter wants keeps no way in. */
static enum err ldap_allows(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    struct verdict *out)
{
	struct job j;
	enum err err = job_init(&j, ctx, conf, in);

	return err ? err : conclude(&j, with_servers(&j, look_up, out), out);
}

static enum err list(struct job *j, void *arg)
{
	struct strv *groups = arg;
	enum err err = bind_service(j);

	*groups = (struct strv){ .n = 0 };
	return err ? err : ldap_groups_all(j->ctx, j->dir, j->line, groups);
}

static enum err ldap_groups(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    struct strv *out)
{
	struct job j;
	enum err err = job_init(&j, ctx, conf, in);

	return err ? err : with_servers(&j, list, out);
}

const struct backend_work backend_work = {
	.traits = &backend_ldap,
	.step = ldap_step,
	.allows = ldap_allows,
	.groups = ldap_groups,
};
