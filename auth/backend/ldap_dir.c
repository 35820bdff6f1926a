/* ldap_dir.c - libldap, used so that nothing waits longer than it may and nothing is believed that
 * was not asked for: no referrals, no aliases, no server without its name in its certificate. */
#include "auth/backend/ldap_dir.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <ldap.h>
#include <openldap.h>

#include "auth/backend/ldap_memory.h"
#include "auth/backend/ldap_net.h"
#include "auth/backend/ldap_text.h"
#include "auth/backend/ldap_tls.h"
#include "base/clock.h"
#include "base/log.h"

enum { INCOMING_MAX = 4 << 20 }; /* bytes of one answer */

/* Where ldapi:// without a path goes. */
static const char local_socket[] = "/var/run/slapd/ldapi";

struct dir {
	LDAP *ld;
	struct ldap_tls *tls; /* child; below LD, where it is not NULL */
	const char *uri;
	unsigned timeout_ms;
	uint64_t until;
};

/* ---- errors --------------------------------------------------------------- */

/* What the library remembers of the last failure, a child of CTX. */
static const char *diagnostic(TALLOC_CTX *ctx, const struct dir *d)
{
	char *text = NULL;
	const char *copy;

	if (d->ld)
		ldap_get_option(d->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
	copy = talloc_strdup(ctx, text ? text : "");
	ldap_memfree(text);
	return copy ? copy : "";
}

static enum err err_of(int rc)
{
	switch (rc) {
	case LDAP_SUCCESS:
		return ERR_OK;
	case LDAP_TIMEOUT:
		return ERR_TIMEOUT;
	case LDAP_NO_MEMORY:
		return ERR_NOMEM;
	case LDAP_NO_SUCH_OBJECT:
		return ERR_NOT_FOUND;
	case LDAP_SIZELIMIT_EXCEEDED:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
		return ERR_EXHAUSTED;
	case LDAP_FILTER_ERROR:
	case LDAP_INVALID_DN_SYNTAX:
		return ERR_CONF;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
		return ERR_BUSY;
	default:
		return ERR_CLOSED;
	}
}

static void say_failed(const struct dir *d, const char *step, const char *reason,
		       const char *detail)
{
	log_warn(NULL, "ldap-failed", kv_str("server", d->uri), kv_str("step", step),
		 kv_str("reason", reason), kv_str("detail", detail));
}

/* Logs what STEP came to, once, where it is known best. */
static enum err failed(const struct dir *d, const char *step, int rc)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	say_failed(d, step, ldap_err2string(rc), diagnostic(tmp, d));
	talloc_free(tmp);
	return err_of(rc);
}

bool dir_is_trouble(enum err err)
{
	return err == ERR_TIMEOUT || err == ERR_CLOSED || err == ERR_BUSY;
}

/* ---- answers -------------------------------------------------------------- */

static struct timeval timeval_of(uint64_t ms)
{
	return (struct timeval){ .tv_sec = (time_t)(ms / 1000),
				 .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
}

/* Time for one answer. */
static struct timeval patience(const struct dir *d)
{
	uint64_t now = clock_ms(), left = now < d->until ? d->until - now : 0;

	return timeval_of(left < d->timeout_ms ? left : d->timeout_ms);
}

/* Waits for all that belongs to the request ID; gives what it came to as a code of LDAP, and the
 * messages, which ldap_msgfree() frees (NULL with an error). */
static int await(const struct dir *d, int id, LDAPMessage **msg)
{
	struct timeval timeout = patience(d);
	int type, rc = LDAP_SERVER_DOWN;

	*msg = NULL;
	type = ldap_result(d->ld, id, LDAP_MSG_ALL, &timeout, msg);
	if (type > 0)
		return LDAP_SUCCESS;
	if (type == 0) {
		ldap_abandon_ext(d->ld, id, NULL, NULL);
		return LDAP_TIMEOUT;
	}
	ldap_get_option(d->ld, LDAP_OPT_RESULT_CODE, &rc);
	return rc ? rc : LDAP_SERVER_DOWN;
}

/* ---- connecting ----------------------------------------------------------- */

static int dir_destroy(struct dir *d)
{
	if (d->ld)
		ldap_unbind_ext_s(d->ld, NULL, NULL);
	return 0;
}

/* What ldap.conf(5) says about these must not count. */
static int set_options(const struct dir *d)
{
	struct timeval timeout = patience(d);
	int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER;
	int rc = ldap_set_option(d->ld, LDAP_OPT_PROTOCOL_VERSION, &version);

	if (!rc)
		rc = ldap_set_option(d->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	if (!rc)
		rc = ldap_set_option(d->ld, LDAP_OPT_DEREF, &never);
	if (!rc)
		rc = ldap_set_option(d->ld, LDAP_OPT_NETWORK_TIMEOUT, &timeout);
	if (!rc)
		rc = ldap_set_option(d->ld, LDAP_OPT_TIMEOUT, &timeout);
	return rc;
}

static Sockbuf *sockbuf_of(const struct dir *d)
{
	Sockbuf *sb = NULL;

	ldap_get_option(d->ld, LDAP_OPT_SOCKBUF, &sb);
	return sb;
}

static enum err open_socket(const struct dir *d, const LDAPURLDesc *url, int *fd)
{
	uint64_t now = clock_ms(), until = now + d->timeout_ms;
	const char *host = url->lud_host && *url->lud_host ? url->lud_host : NULL;
	enum err err;

	if (strcasecmp(url->lud_scheme, "ldapi") == 0)
		err = ldap_net_connect_local(host ? host : local_socket, fd);
	else
		err = ldap_net_connect(host ? host : "localhost", (uint16_t)url->lud_port,
				       until < d->until ? until : d->until, fd);
	if (err)
		say_failed(d, "connect", err_text(err), "");
	return err;
}

/* Gives the library a socket of ours. */
static enum err attach(struct dir *d, int fd)
{
	ber_len_t most = INCOMING_MAX;
	int rc = ldap_init_fd(fd, LDAP_PROTO_TCP, d->uri, &d->ld);

	if (rc) {
		close(fd);
		d->ld = NULL;
		return failed(d, "connect", rc);
	}
	ber_sockbuf_ctrl(sockbuf_of(d), LBER_SB_OPT_SET_MAX_INCOMING, &most);
	rc = set_options(d);
	return rc ? failed(d, "connect", rc) : ERR_OK;
}

static enum err add_tls(struct dir *d, const struct ldap_line *line, int fd, const char *host)
{
	uint64_t until = clock_ms() + d->timeout_ms;
	const char *why = "";
	enum err err = ldap_tls_start(d, fd, host, line->ca, until < d->until ? until : d->until,
				      &d->tls, &why);

	if (err) {
		say_failed(d, "TLS", err_text(err), why);
		return err;
	}
	return ldap_tls_install(d->tls, sockbuf_of(d));
}

/* RFC 4511 4.14. */
static enum err ask_for_tls(struct dir *d)
{
	LDAPMessage *msg = NULL;
	int id, code = LDAP_OTHER, rc = ldap_start_tls(d->ld, NULL, NULL, &id);

	if (!rc)
		rc = await(d, id, &msg);
	if (!rc)
		rc = ldap_parse_result(d->ld, msg, &code, NULL, NULL, NULL, NULL, 0);
	ldap_msgfree(msg);
	if (!rc)
		rc = code;
	return rc ? failed(d, "StartTLS", rc) : ERR_OK;
}

static enum err connect_to(struct dir *d, const struct ldap_line *line, const LDAPURLDesc *url)
{
	bool plain = strcasecmp(url->lud_scheme, "ldap") == 0;
	int fd;
	enum err err = open_socket(d, url, &fd);

	if (!err)
		err = attach(d, fd);
	if (!err && plain && line->starttls)
		err = ask_for_tls(d);
	if (!err && (strcasecmp(url->lud_scheme, "ldaps") == 0 || (plain && line->starttls)))
		err = add_tls(d, line, fd, url->lud_host ? url->lud_host : "localhost");
	return err;
}

enum err dir_open(TALLOC_CTX *ctx, const struct ldap_line *line, const char *uri, uint64_t until,
		  struct dir **out)
{
	struct dir *d = talloc_zero(ctx, struct dir);
	LDAPURLDesc *url = NULL;
	enum err err = ERR_CLOSED;

	if (!d)
		return ERR_NOMEM;
	ldap_memory_wipes();
	d->uri = uri;
	d->timeout_ms = line->timeout * 1000;
	d->until = until;
	talloc_set_destructor(d, dir_destroy);
	if (ldap_url_parse(uri, &url))
		say_failed(d, "connect", "this is no URI of a directory server", "");
	else
		err = connect_to(d, line, url);
	ldap_free_urldesc(url);
	if (!err) {
		*out = d;
		return ERR_OK;
	}
	talloc_free(d);
	/* Whatever it was, another server may do better. */
	return err == ERR_NOMEM || dir_is_trouble(err) ? err : ERR_CLOSED;
}

/* ---- binding -------------------------------------------------------------- */

/* draft-behera-ldap-password-policy 6.2; what changes nothing for us is only told to the log. */
static void read_policy(const struct dir *d, LDAPControl **controls, struct dir_policy *policy)
{
	LDAPControl *c = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	LDAPPasswordPolicyError error = PP_noError;
	ber_int_t expire = -1, grace = -1;

	if (!c || ldap_parse_passwordpolicy_control(d->ld, c, &expire, &grace, &error))
		return;
	policy->expired = error == PP_passwordExpired || error == PP_changeAfterReset;
	if (error != PP_noError)
		policy->reason = ldap_passwordpolicy_err2txt(error);
	else if (grace >= 0 || expire >= 0)
		policy->reason = "password expires soon";
}

/* Codes with which servers refuse a password, each in its own way: 389 Directory Server says
 * "unwilling" for inactive accounts and "constraint violation" after too many tries. */
static bool is_refusal(int code)
{
	switch (code) {
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_CONSTRAINT_VIOLATION:
		return true;
	default:
		return false;
	}
}

static enum err read_bind(struct dir *d, LDAPMessage *msg, struct dir_policy *policy)
{
	int code = LDAP_OTHER, rc;
	char *text = NULL;
	LDAPControl **controls = NULL;

	rc = ldap_parse_result(d->ld, msg, &code, NULL, &text, NULL, &controls, 0);
	if (rc)
		return failed(d, "bind", rc);
	if (controls)
		read_policy(d, controls, policy);
	if (text && !policy->reason)
		policy->reason = ldap_ad_reason(text, &policy->expired);
	ldap_memfree(text);
	ldap_controls_free(controls);
	if (code == LDAP_SUCCESS)
		return ERR_OK;
	return is_refusal(code) ? ERR_CREDENTIALS : failed(d, "bind", code);
}

static enum err bind_with(struct dir *d, const char *dn, struct berval *password,
			  struct dir_policy *policy)
{
	LDAPControl *control = NULL, *controls[2] = { NULL };
	LDAPMessage *msg = NULL;
	int id, rc;
	enum err err;

	*policy = (struct dir_policy){ .reason = NULL };
	/* Not critical: servers that know no such policy ignore it. */
	if (ldap_create_passwordpolicy_control(d->ld, &control) == LDAP_SUCCESS)
		controls[0] = control;
	rc = ldap_sasl_bind(d->ld, dn, LDAP_SASL_SIMPLE, password, controls, NULL, &id);
	if (!rc)
		rc = await(d, id, &msg);
	err = rc ? failed(d, "bind", rc) : read_bind(d, msg, policy);
	ldap_msgfree(msg);
	ldap_control_free(control);
	return err;
}

enum err dir_bind(struct dir *d, const char *dn, const char *password, struct dir_policy *policy)
{
	/* The library only reads it. */
	struct berval cred = { .bv_val = (char *)(uintptr_t)password, .bv_len = strlen(password) };

	/* RFC 4513 5.1.2: a name without a password is an unauthenticated bind, which succeeds. */
	if (!cred.bv_len || !*dn)
		return ERR_STATE;
	return bind_with(d, dn, &cred, policy);
}

/* ---- searching ------------------------------------------------------------ */

/* Values that are no text have nothing to do with names. */
static enum err copy_values(TALLOC_CTX *ctx, struct berval *const *from, struct strv *out)
{
	for (size_t i = 0; from && from[i]; i++) {
		const struct berval *v = from[i];
		char *text;
		enum err err;

		if (!v->bv_len || memchr(v->bv_val, '\0', v->bv_len))
			continue;
		text = talloc_strndup(ctx, v->bv_val, v->bv_len);
		err = text ? strv_add(ctx, out, text) : ERR_NOMEM;
		talloc_free(text);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err copy_attr(TALLOC_CTX *ctx, const struct dir *d, LDAPMessage *msg, const char *name,
			  struct dir_entry *e)
{
	struct berval **values = ldap_get_values_len(d->ld, msg, name);
	struct dir_attr *a;
	enum err err = ERR_NOMEM;

	e->attr = talloc_realloc(ctx, e->attr, struct dir_attr, (unsigned)e->n_attr + 1);
	if (e->attr) {
		a = &e->attr[e->n_attr++];
		*a = (struct dir_attr){ .name = talloc_strdup(ctx, name) };
		err = a->name ? copy_values(ctx, values, &a->value) : ERR_NOMEM;
	}
	ldap_value_free_len(values);
	return err;
}

static enum err copy_entry(TALLOC_CTX *ctx, const struct dir *d, LDAPMessage *msg,
			   struct dir_entry *e)
{
	char *dn = ldap_get_dn(d->ld, msg), *name;
	BerElement *ber = NULL;
	enum err err;

	*e = (struct dir_entry){ .dn = dn ? talloc_strdup(ctx, dn) : NULL };
	ldap_memfree(dn);
	err = e->dn ? ERR_OK : ERR_NOMEM;
	name = ldap_first_attribute(d->ld, msg, &ber);
	while (name) {
		if (!err)
			err = copy_attr(ctx, d, msg, name, e);
		ldap_memfree(name);
		name = ldap_next_attribute(d->ld, msg, ber);
	}
	ber_free(ber, 0);
	return err;
}

static enum err copy_entries(TALLOC_CTX *ctx, const struct dir *d, LDAPMessage *msg, int limit,
			     struct dir_entries *out)
{
	int n = ldap_count_entries(d->ld, msg);
	unsigned most = n < 0 ? 0 : (unsigned)n;

	/* A server that ignores the limit shall not decide how much memory this takes. */
	if (most > (unsigned)limit)
		most = (unsigned)limit;
	*out = (struct dir_entries){ .item = talloc_zero_array(ctx, struct dir_entry, most) };
	if (!out->item)
		return ERR_NOMEM;
	for (LDAPMessage *e = ldap_first_entry(d->ld, msg); e && out->n < most;
	     e = ldap_next_entry(d->ld, e)) {
		enum err err = copy_entry(out->item, d, e, &out->item[out->n++]);

		if (err)
			return err;
	}
	return n > limit ? ERR_EXHAUSTED : ERR_OK;
}

static enum err read_search(TALLOC_CTX *ctx, const struct dir *d, LDAPMessage *msg,
			    const struct dir_query *q, struct dir_entries *out)
{
	int code = LDAP_OTHER;
	int rc = ldap_parse_result(d->ld, msg, &code, NULL, NULL, NULL, NULL, 0);
	enum err err = rc ? ERR_CLOSED : err_of(code);
	enum err copied;

	if (err && err != ERR_EXHAUSTED && err != ERR_NOT_FOUND)
		return failed(d, "search", rc ? rc : code);
	copied = copy_entries(ctx, d, msg, q->limit, out);
	return copied ? copied : err;
}

enum err dir_search(TALLOC_CTX *ctx, struct dir *d, const struct dir_query *q,
		    struct dir_entries *out)
{
	static const int scopes[] = {
		[LDAP_SCOPE_TREE] = LDAP_SCOPE_SUBTREE,
		[LDAP_SCOPE_LEVEL] = LDAP_SCOPE_ONELEVEL,
		[LDAP_SCOPE_ENTRY] = LDAP_SCOPE_BASE,
	};
	struct timeval timeout = patience(d);
	LDAPMessage *msg = NULL;
	int id, rc;
	enum err err;

	rc = ldap_search_ext(d->ld, q->base, scopes[q->scope], q->filter,
			     (char **)(uintptr_t)q->attrs, 0, NULL, NULL, &timeout, q->limit, &id);
	if (!rc)
		rc = await(d, id, &msg);
	err = rc ? failed(d, "search", rc) : read_search(ctx, d, msg, q, out);
	ldap_msgfree(msg);
	return err;
}

bool dir_is_active_directory(struct dir *d)
{
	static const char *const attrs[] = { "supportedCapabilities", NULL };
	/* LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3.1). */
	static const char capability[] = "1.2.840.113556.1.4.800";
	const struct dir_query q = { "", LDAP_SCOPE_ENTRY, "(objectClass=*)", attrs, 1 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct dir_entries root = { .n = 0 };
	bool yes = tmp && !dir_search(tmp, d, &q, &root) && root.n == 1 &&
		   strv_has(dir_values(&root.item[0], attrs[0]), capability);

	talloc_free(tmp);
	return yes;
}

const struct strv *dir_values(const struct dir_entry *e, const char *name)
{
	static const struct strv none = { .n = 0 };

	for (size_t i = 0; i < e->n_attr; i++)
		if (strcasecmp(e->attr[i].name, name) == 0)
			return &e->attr[i].value;
	return &none;
}
