/* control_audit.c - one line for each action: who, what, whom, and with what result. */
#include "main/control_audit.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "main/control_client.h"

/* Who logged in to the machine before becoming root, as the kernel's audit knows it; "" when it
 * does not. */
static void login_uid(pid_t pid, char uid[16])
{
	char path[48], *text;
	size_t len;
	FILE *in;

	*uid = '\0';
	snprintf(path, sizeof path, "/proc/%d/loginuid", (int)pid);
	in = fopen(path, "re");
	if (!in)
		return;
	text = fgets(uid, 16, in);
	len = text ? strspn(text, "0123456789") : 0;
	uid[len] = '\0';
	if (strcmp(uid, "4294967295") == 0)
		*uid = '\0';
	fclose(in);
}

void audit_asked(struct client *cl, const char *command, const char *target)
{
	cl->command = command;
	cl->target = talloc_strdup(cl, target);
}

static const char *result_word(const CtlResult *result)
{
	static const char *const words[] = {
		[CTL_RESULT__CTL_OK] = "done",
		[CTL_RESULT__CTL_FAILED] = "failed",
		[CTL_RESULT__CTL_NOT_FOUND] = "not found",
		[CTL_RESULT__CTL_AMBIGUOUS] = "ambiguous",
	};

	return result ? words[*result] : "not awaited";
}

void audit_done(struct client *cl, const CtlResult *result)
{
	char uid[16];

	if (!cl->command)
		return;
	login_uid(cl->pid, uid);
	log_info(NULL, "admin", kv_str("command", cl->command), kv_str("target", cl->target),
		 kv_str("result", result_word(result)), kv_u64("uid", cl->uid),
		 kv_str("login-uid", uid), kv_i64("pid", cl->pid));
	cl->command = NULL;
}
