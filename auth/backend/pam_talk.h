/* pam_talk.h - the conversation between PAM modules and a client.
 *
 * Modules call back with texts and questions, several at a time; a client of the VPN sees one form
 * after the other.  The form that began the login has a password already, which answers the first
 * question whose answer must not be seen.  Used by backend/pam.c; links no PAM, so that tests can
 * play the modules. */
#ifndef AUTH_BACKEND_PAM_TALK_H
#define AUTH_BACKEND_PAM_TALK_H

#include <stdbool.h>

#include <security/_pam_types.h>

#include "auth/backend/backend.h"
#include "base/buf.h"

struct pam_talk {
	TALLOC_CTX *ctx;	 /* borrowed: of what is shown */
	struct backend_input in; /* the newest */
	const char *password;	 /* of the first form; NULL: none, or given away */
	bool silent;		 /* nobody is there to answer */
	bool closed;		 /* the client has gone */
	struct buf texts;	 /* what modules said and nobody has seen yet */
	/* What a failure should take longer (pam_fail_delay(3)); libpam says so of a success, too.
	 */
	unsigned delay_us;
};

/* T must last as long as the PAM handle.  SILENT: questions fail. */
void pam_talk_init(struct pam_talk *t, TALLOC_CTX *ctx, const struct backend_input *in,
		   bool silent);

/* struct pam_conv.conv, whose appdata is a struct pam_talk. */
int pam_talk_conv(int n, const struct pam_message **msg, struct pam_response **resp, void *arg);

/* PAM_FAIL_DELAY: notes the delay instead of sleeping. */
void pam_talk_delay(int status, unsigned usec, void *arg);

#endif /* AUTH_BACKEND_PAM_TALK_H */
