/* gssapi.c - the backend `gssapi`: Kerberos tickets in HTTP Negotiate (radius.md 8, protocol.md
 * 4.17, RFC 4559, RFC 4178).
 *
 * A ticket is good for any HTTP/host key of the keytab, because a server has several names. Replays
 * are found by the replay cache of libkrb5, a file that all runners share; without it tickets are
 * refused.  Nothing here talks to a KDC. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "auth/backend/gssapi.h"
#include "auth/backend/unix_groups.h"
#include "auth/backend/work.h"
#include "base/clock.h"
#include "base/log.h"

enum { LEGS_MAX = 16 }; /* tokens of one negotiation; Kerberos needs one or two */

/* RFC 4178 3.1: 1.3.6.1.5.5.2 */
static const char spnego_oid[] = "\x2b\x06\x01\x05\x05\x02";

/* One negotiation. */
struct acceptor {
	const struct gssapi *conf;
	TALLOC_CTX *ctx;
	struct log_ctx log;
	gss_cred_id_t cred;
	gss_ctx_id_t context;
	gss_name_t client;
	OM_uint32 flags;
	char *answer; /* for WWW-Authenticate */
};

/* ---- errors --------------------------------------------------------------- */

/* Appends what the library calls CODE; it may have several lines to say. */
static char *add_status(char *text, OM_uint32 code, int type)
{
	OM_uint32 more = 0, minor;

	do {
		gss_buffer_desc part = GSS_C_EMPTY_BUFFER;

		if (GSS_ERROR(gss_display_status(&minor, code, type, GSS_C_NO_OID, &more, &part)))
			return text;
		text = talloc_asprintf_append(text, "%s%.*s", text && *text ? ": " : "",
					      (int)part.length, (const char *)part.value);
		(void)gss_release_buffer(&minor, &part);
	} while (more && text);
	return text;
}

/* Both halves of an error as one text, a child of CTX; the first often only says to read the
 * second. */
static const char *status_text(TALLOC_CTX *ctx, OM_uint32 major, OM_uint32 minor)
{
	char *text = talloc_strdup(ctx, "");

	if (!minor || GSS_ROUTINE_ERROR(major) != GSS_S_FAILURE)
		text = add_status(text, major, GSS_C_GSS_CODE);
	if (minor)
		text = add_status(text, minor, GSS_C_MECH_CODE);
	return text ? text : "";
}

/* The ticket is not good enough; the log says why, the client does not hear it. */
static enum err refuse(const struct acceptor *a, struct verdict *v, const char *reason)
{
	log_notice(&a->log, "gssapi-refused", kv_text(reason));
	v->kind = VERDICT_REJECT;
	v->reason = reason;
	return ERR_OK;
}

/* ---- the replay cache ----------------------------------------------------- */

/* The library keeps it in /var/tmp, where any local user can make the file first: it is refused
 * then, and with it every ticket.  Whatever krb5.conf or the environment says about it goes first.
 */
static void use_own_folder(void)
{
	static const char folder[] = "/run/sallyport-gssapi";
	struct stat st;

	if (getenv("KRB5RCACHENAME") || getenv("KRB5RCACHEDIR") || getenv("TMPDIR"))
		return;
	(void)mkdir(folder, 0700);
	if (lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		(void)setenv("KRB5RCACHEDIR", folder, 1);
}

/* ---- credentials ---------------------------------------------------------- */

static OM_uint32 acquire_as(struct acceptor *a, gss_name_t service, OM_uint32 *minor)
{
	gss_OID_desc spnego = { sizeof spnego_oid - 1, (void *)(uintptr_t)spnego_oid };
	gss_OID_set_desc mech = { 1, &spnego }, inner = { 1, gss_mech_krb5 };
	gss_key_value_element_desc keytab = { "keytab", a->conf->keytab };
	gss_key_value_set_desc store = { 1, &keytab };
	OM_uint32 major = gss_acquire_cred_from(
		minor, service, GSS_C_INDEFINITE, &mech, GSS_C_ACCEPT,
		a->conf->keytab ? &store : GSS_C_NO_CRED_STORE, &a->cred, NULL, NULL);

	/* Never NTLM or what else is installed. */
	return GSS_ERROR(major) ? major : gss_set_neg_mechs(minor, a->cred, &inner);
}

/* Our own keys: those of the service HTTP, whatever host they name. */
static enum err acquire(struct acceptor *a)
{
	static const char http[] = "HTTP";
	gss_buffer_desc text = { sizeof http - 1, (void *)(uintptr_t)http };
	gss_name_t service = GSS_C_NO_NAME;
	OM_uint32 minor = 0, ignored;
	OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &service);

	if (!GSS_ERROR(major))
		major = acquire_as(a, service, &minor);
	(void)gss_release_name(&ignored, &service);
	if (!GSS_ERROR(major))
		return ERR_OK;
	log_err(NULL, "gssapi-keytab-unusable",
		kv_str("keytab", a->conf->keytab ? a->conf->keytab : "default"),
		kv_str("reason", status_text(a->ctx, major, minor)),
		kv_text("gssapi: no key for HTTP/host in the keytab; export one from the KDC"));
	return ERR_CONF;
}

static void release(struct acceptor *a)
{
	OM_uint32 minor;

	(void)gss_delete_sec_context(&minor, &a->context, GSS_C_NO_BUFFER);
	(void)gss_release_cred(&minor, &a->cred);
	(void)gss_release_name(&minor, &a->client);
}

/* ---- the negotiation ------------------------------------------------------ */

/* Takes the token of HEADER and sets a->answer.  ERR_AGAIN: the client has to send another;
 * ERR_CREDENTIALS: *WHY says what is wrong with it. */
static enum err take_token(struct acceptor *a, const char *header, const char **why)
{
	gss_buffer_desc in = GSS_C_EMPTY_BUFFER, out = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor = 0, ignored;
	uint8_t *token = NULL;
	enum err err = gssapi_token(a->ctx, header ? header : "", &token, &in.length);

	if (err) {
		*why = "gssapi: no token in the Authorization header";
		return err == ERR_NOMEM ? err : ERR_CREDENTIALS;
	}
	in.value = token;
	major = gss_accept_sec_context(&minor, &a->context, a->cred, &in, GSS_C_NO_CHANNEL_BINDINGS,
				       &a->client, NULL, &out, &a->flags, NULL, NULL);
	talloc_free(token);
	a->answer = gssapi_header(a->ctx, out.value, out.length);
	(void)gss_release_buffer(&ignored, &out);
	if (GSS_ERROR(major)) {
		*why = status_text(a->ctx, major, minor);
		return ERR_CREDENTIALS;
	}
	if (!a->answer)
		return ERR_NOMEM;
	return major & GSS_S_CONTINUE_NEEDED ? ERR_AGAIN : ERR_OK;
}

/* Until the client is known, or refused (ERR_CREDENTIALS).  The context cannot leave this process,
 * so the next token has to come here. */
static enum err negotiate(struct acceptor *a, const struct backend_input *in, const char **why)
{
	struct backend_input now = *in;
	enum err err = take_token(a, now.authorization, why);

	for (unsigned legs = 1; err == ERR_AGAIN && legs < LEGS_MAX; legs++) {
		const struct verdict question = { .kind = VERDICT_HTTP, .text = a->answer };

		if (!now.ask)
			return ERR_UNSUPPORTED;
		err = now.ask(now.ask_arg, &question, &now);
		if (!err)
			err = take_token(a, now.authorization, why);
	}
	if (err != ERR_AGAIN)
		return err;
	*why = "gssapi: the negotiation does not end";
	return ERR_CREDENTIALS;
}

/* ---- who it is ------------------------------------------------------------ */

static char *principal_of(const struct acceptor *a)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	char *name = NULL;

	if (!GSS_ERROR(gss_display_name(&minor, a->client, &text, NULL)))
		name = talloc_strndup(a->ctx, text.value, text.length);
	(void)gss_release_buffer(&minor, &text);
	return name;
}

/* The name that auth_to_local of krb5.conf gives the principal, NULL when it gives none. */
static char *mapped_name(const struct acceptor *a)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	char *name = NULL;

	if (!GSS_ERROR(gss_localname(&minor, a->client, GSS_C_NO_OID, &text)) && text.length)
		name = talloc_strndup(a->ctx, text.value, text.length);
	(void)gss_release_buffer(&minor, &text);
	return name;
}

/* Sets the user of V and his groups; those of nobody's account are none.  ERR_NOT_FOUND: he has to
 * have an account and has none. */
static enum err identify(const struct acceptor *a, const char *principal, struct verdict *v)
{
	char *user = mapped_name(a);
	enum err err = user ? unix_groups_of(a->ctx, user, &v->groups) : ERR_NOT_FOUND;

	if (err == ERR_NOT_FOUND && !a->conf->need_account) {
		if (!user)
			user = gssapi_first_component(a->ctx, principal, strlen(principal));
		err = user ? ERR_OK : ERR_NOT_FOUND;
	}
	v->user = user;
	return err;
}

/* Whether the user has shown his password long ago; unknown is too long. */
static bool is_too_old(const struct acceptor *a)
{
	krb5_timestamp when = 0;
	OM_uint32 minor;

	if (!a->conf->freshness)
		return false;
	if (GSS_ERROR(gsskrb5_extract_authtime_from_sec_context(&minor, a->context, &when)))
		return true;
	/* Time stamps of Kerberos are unsigned and last until 2106. */
	return clock_unix() - (int64_t)(uint32_t)when > (int64_t)a->conf->freshness;
}

/* The ticket is genuine; may its owner come in? */
static enum err judge(struct acceptor *a, struct verdict *v)
{
	const char *principal = principal_of(a);
	enum err err;

	if (!principal)
		return ERR_NOMEM;
	if (a->flags & GSS_C_ANON_FLAG)
		return refuse(a, v, "gssapi: the ticket is anonymous");
	err = identify(a, principal, v);
	if (err == ERR_NOT_FOUND)
		return refuse(a, v, "gssapi: authenticated user doesn't map to a local user");
	if (err)
		return err;
	if (is_too_old(a)) {
		const char *text = talloc_asprintf(
			a->ctx, "gssapi: the presented kerberos ticket for %s is too old", v->user);

		return refuse(a, v, text ? text : "");
	}
	log_debug(&a->log, "gssapi-accepted", kv_str("principal", principal),
		  kv_str("user", v->user));
	v->kind = VERDICT_ACCEPT;
	v->text = a->answer;
	return ERR_OK;
}

static enum err gssapi_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    struct verdict *out)
{
	const struct addr remote = in->remote.addr;
	struct acceptor a = {
		.conf = conf,
		.ctx = ctx,
		.log = { .vhost = in->vhost, .ip = &remote },
		.cred = GSS_C_NO_CREDENTIAL,
		.context = GSS_C_NO_CONTEXT,
		.client = GSS_C_NO_NAME,
	};
	const char *why = "";
	enum err err;

	use_own_folder();
	err = acquire(&a);
	if (!err)
		err = negotiate(&a, in, &why);
	if (!err)
		err = judge(&a, out);
	else if (err == ERR_CREDENTIALS)
		err = refuse(&a, out, why);
	release(&a);
	return err;
}

/* Who has lost his account has lost his way in; tickets cannot be taken back (RFC 4120 1.6). */
static enum err gssapi_allows(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			      struct verdict *out)
{
	const struct gssapi *g = conf;
	struct strv groups;
	enum err err = g->need_account ? unix_groups_of(ctx, in->user, &groups) : ERR_OK;

	out->kind = err ? VERDICT_REJECT : VERDICT_ACCEPT;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* For auto-select-group. */
static enum err gssapi_groups(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			      struct strv *out)
{
	const struct gssapi *g = conf;

	(void)in;
	return unix_groups_all(ctx, g->gid_min, out);
}

const struct backend_work backend_work = {
	.traits = &backend_gssapi,
	.step = gssapi_step,
	.allows = gssapi_allows,
	.groups = gssapi_groups,
};
