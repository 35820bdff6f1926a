/* pam.c - the backend `pam`: whoever the modules of a PAM service let in (radius.md 7).
 *
 * A login is one PAM conversation from pam_start to pam_end in one process, because modules keep
 * what they know in the handle.  It stops in the conversation function while the client types. */
#include <stdio.h>
#include <string.h>

#include <security/pam_appl.h>

#include "auth/backend/pam.h"
#include "auth/backend/pam_talk.h"
#include "auth/backend/unix_groups.h"
#include "auth/backend/work.h"
#include "base/log.h"

/* One handle with its conversation. */
struct dialogue {
	pam_handle_t *pam; /* NULL: none */
	struct pam_talk talk;
};

/* A pointer to a function as libpam wants it. */
static int set_delay(pam_handle_t *pam)
{
	union {
		void (*fn)(int status, unsigned usec, void *arg);
		const void *item;
	} as = { .fn = pam_talk_delay };

	return pam_set_item(pam, PAM_FAIL_DELAY, as.item);
}

/* libpam would sleep after a failure, and a sleeping runner is one less for the others; so the
 * delay is noted and the verdict held back instead. */
static int begin(struct dialogue *d, TALLOC_CTX *ctx, const struct pam *conf,
		 const struct backend_input *in, bool silent)
{
	const struct pam_conv conv = { pam_talk_conv, &d->talk };
	char host[ADDR_TEXT];
	int status;

	d->pam = NULL;
	pam_talk_init(&d->talk, ctx, in, silent);
	/* Files may bear the name of a user; a name that no session can have gets to none. */
	if (strlen(in->user) > BACKEND_NAME_MAX)
		return PAM_USER_UNKNOWN;
	status = pam_start(conf->service, in->user, &conv, &d->pam);
	if (status != PAM_SUCCESS) {
		d->pam = NULL;
		return status;
	}
	status = set_delay(d->pam);
	if (status == PAM_SUCCESS)
		status = pam_set_item(d->pam, PAM_RHOST, addr_print(&in->remote.addr, host));
	return status;
}

static const char *text_of(const struct dialogue *d, int status)
{
	return pam_strerror(d->pam, status);
}

static void end(struct dialogue *d, int status)
{
	if (d->pam)
		pam_end(d->pam, status);
	d->pam = NULL;
}

/* Empty passwords, which a service may permit on the console, are none on the Internet. */
enum { FLAGS = PAM_DISALLOW_NULL_AUTHTOK };

/* Who has to change the password does it now: the old one was right. */
static int check_account(const struct dialogue *d)
{
	int status = pam_acct_mgmt(d->pam, FLAGS);

	if (status == PAM_NEW_AUTHTOK_REQD)
		status = pam_chauthtok(d->pam, PAM_CHANGE_EXPIRED_AUTHTOK);
	return status;
}

/* A fault of the service's configuration or of what it asks, rather than a wrong password. */
static bool is_fault(int status)
{
	return status == PAM_OPEN_ERR || status == PAM_SYMBOL_ERR || status == PAM_BUF_ERR ||
	       status == PAM_ABORT || status == PAM_MODULE_UNKNOWN ||
	       status == PAM_AUTHINFO_UNAVAIL;
}

static enum err refused(TALLOC_CTX *ctx, const struct dialogue *d, const char *user, int status,
			struct verdict *out)
{
	const char *reason = text_of(d, status);
	char *text = talloc_asprintf(ctx, "PAM authenticate error for '%s': %s", user, reason);

	if (d->talk.closed)
		return ERR_CLOSED;
	log_info(NULL, "pam-refused", kv_text(text ? text : reason));
	out->kind = is_fault(status) ? VERDICT_ERROR : VERDICT_REJECT;
	out->reason = talloc_strdup(ctx, reason);
	out->text = d->talk.texts.len ? buf_text(&d->talk.texts) : NULL;
	out->delay_ms = d->talk.delay_us / 1000;
	return ERR_OK;
}

/* A module may have found out who the user really is. */
static enum err granted(TALLOC_CTX *ctx, const struct dialogue *d, struct verdict *out)
{
	const void *user = NULL;
	enum err err;

	if (pam_get_item(d->pam, PAM_USER, &user) != PAM_SUCCESS || !user)
		return ERR_STATE;
	out->kind = VERDICT_ACCEPT;
	out->user = talloc_strdup(ctx, user);
	if (!out->user)
		return ERR_NOMEM;
	out->delay_ms = d->talk.delay_us / 1000;
	err = unix_groups_of(ctx, out->user, &out->groups);
	/* Users that only the service knows have no groups. */
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err pam_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			 struct verdict *out)
{
	struct dialogue d;
	int status = begin(&d, ctx, conf, in, false);
	enum err err;

	if (status == PAM_SUCCESS)
		status = pam_authenticate(d.pam, FLAGS);
	if (status == PAM_SUCCESS)
		status = check_account(&d);
	if (status == PAM_SUCCESS)
		err = granted(ctx, &d, out);
	else
		err = refused(ctx, &d, in->user, status, out);
	end(&d, status);
	return err;
}

/* What the account phase alone says of a user who proved himself earlier or elsewhere. */
static int account_phase(TALLOC_CTX *ctx, const struct pam *conf, const struct backend_input *in,
			 char **reason)
{
	struct dialogue d;
	int status = begin(&d, ctx, conf, in, true);

	if (status == PAM_SUCCESS)
		status = pam_acct_mgmt(d.pam, FLAGS);
	/* The next login makes him change it; nothing can be asked now. */
	if (status == PAM_NEW_AUTHTOK_REQD)
		status = PAM_SUCCESS;
	if (status != PAM_SUCCESS)
		*reason = talloc_strdup(ctx, text_of(&d, status));
	end(&d, status);
	return status;
}

/* Locked and removed accounts keep no way in (protocol.md 10.13). */
static enum err pam_allows(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			   struct verdict *out)
{
	char *reason = NULL;
	int status = account_phase(ctx, conf, in, &reason);

	if (is_fault(status))
		return ERR_SYS;
	out->kind = status == PAM_SUCCESS ? VERDICT_ACCEPT : VERDICT_REJECT;
	return ERR_OK;
}

static enum err pam_groups(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			   struct strv *out)
{
	const struct pam *p = conf;

	(void)in;
	return unix_groups_all(ctx, p->gid_min, out);
}

/* acct = "pam": whether the account may open a tunnel now.  There is nothing to note at other
 * times. */
static enum err pam_account(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    const struct acct_record *rec, struct verdict *out)
{
	char *reason = NULL, *text;

	out->kind = VERDICT_ACCEPT;
	if (rec->kind != ACCT_START || account_phase(ctx, conf, in, &reason) == PAM_SUCCESS)
		return ERR_OK;
	out->kind = VERDICT_REJECT;
	out->reason = reason;
	text = talloc_asprintf(ctx, "PAM-acct account error: %s", reason ? reason : "");
	log_info(NULL, "pam-account-refused", kv_text(text ? text : ""));
	return ERR_OK;
}

const struct backend_work backend_work = {
	.traits = &backend_pam,
	.as_root = true,
	.step = pam_step,
	.allows = pam_allows,
	.groups = pam_groups,
	.account = pam_account,
};
