/* fw_prog.c - sallyport-fw: the rules of one session from a script's environment (admin.md 11).
 *
 * For administrators' scripts, by hand, or as OCSERV_FW_SCRIPT; a server makes its sessions' rules
 * itself (restrict.c).  These ones are in a table of their own, so that the two never meet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <talloc.h>

#include "base/str.h"
#include "main/firewall_rules.h"
#include "main/fw_env.h"
#include "main/nft.h"

static const char table[] = FW_TABLE_PREFIX "fw";

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "sallyport-fw: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

/* OCSERV_NEXT_SCRIPT by /bin/sh, if there is one; its exit status.  The name stays in the
 * environment: a shell that were given it as text would read more out of it than a name. */
static int run_next(void)
{
	const char *next = fw_env_get(environ, "OCSERV_NEXT_SCRIPT");
	int status;
	pid_t pid;

	if (!next || !*next)
		return EXIT_SUCCESS;
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exec \"$OCSERV_NEXT_SCRIPT\"", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Rules of DEVICE that another session has left go in any case. */
static int replace_rules(TALLOC_CTX *ctx, const struct fw_rules *r)
{
	struct buf text;
	char *why = NULL;

	buf_init(&text, ctx, 2 * FW_TEXT_MAX);
	fw_rules_base(&text, table);
	fw_rules_del(&text, table, r->device);
	if (fw_rules_needed(r))
		fw_rules_add(ctx, &text, table, r);
	if (text.failed || nft_run(ctx, buf_text(&text), &why))
		return fail(r->device, why ? why : "out of memory");
	return EXIT_SUCCESS;
}

static void remove_rules(TALLOC_CTX *ctx, const char *device)
{
	struct buf text;
	char *why = NULL;

	buf_init(&text, ctx, FW_TEXT_MAX);
	fw_rules_base(&text, table);
	fw_rules_del(&text, table, device);
	if (nft_run(ctx, buf_text(&text), &why))
		(void)fail(device, why ? why : "out of memory");
}

static int on_connect(TALLOC_CTX *ctx)
{
	struct fw_rules rules;
	const char *why;
	int status;

	if (fw_env_read(ctx, environ, &rules, &why))
		return fail("no rules made", why);
	status = replace_rules(ctx, &rules);
	if (status == EXIT_SUCCESS) {
		status = run_next();
		if (status != EXIT_SUCCESS) /* the session is refused, and never disconnects */
			remove_rules(ctx, rules.device);
	}
	return status;
}

static int on_disconnect(TALLOC_CTX *ctx)
{
	const char *device = fw_env_get(environ, "DEVICE");

	if (device && fw_device_ok(device))
		remove_rules(ctx, device);
	return run_next();
}

/* Every table of ours, those of servers included: after a crash nobody else may remove them. */
static int remove_all(TALLOC_CTX *ctx)
{
	static const char prefix[] = "table inet " FW_TABLE_PREFIX;
	char *listing, *save = NULL, *why = NULL;

	if (nft_query(ctx, "list tables", &listing))
		return fail("--removeall", "cannot list tables");
	for (char *line = strtok_r(listing, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (str_starts(line, prefix) &&
		    nft_run(ctx, talloc_asprintf(ctx, "delete %s\n", line), &why))
			return fail(line, why ? why : "out of memory");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *reason = fw_env_get(environ, "REASON");
	int status;

	if (argc == 2 && !strcmp(argv[1], "--removeall"))
		status = remove_all(ctx);
	else if (argc > 1)
		status = fail(argv[1], "unknown argument; use --removeall, or none and REASON");
	else if (reason && !strcmp(reason, "connect"))
		status = on_connect(ctx);
	else if (reason && !strcmp(reason, "disconnect"))
		status = on_disconnect(ctx);
	else
		status = fail(reason ? reason : "REASON", "must be connect or disconnect");
	talloc_free(ctx);
	return status;
}
