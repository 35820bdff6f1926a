/* commands.c - the table of occtl's commands, and running one of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmd.h"
#include "ctl/pager.h"
#include "ctl/show.h"

static int cmd_help(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)ctx;
	(void)v;
	fputs("Available Commands\n", ctl->out);
	cmd_print_help(ctl->out, "", true);
	return EXIT_SUCCESS;
}

static int cmd_leave(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)ctx;
	(void)ctl;
	(void)v;
	return CMD_LEAVE;
}

/* RIS: the terminal forgets modes and colours that stray output has set. */
static int cmd_reset(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	(void)ctx;
	(void)v;
	fputs("\033c", ctl->out);
	return EXIT_SUCCESS;
}

/* name, argument, flags, function, help.  The first match in this order wins. */
const struct cmd cmd_table[] = {
	{ "disconnect user", ARG_USER, 0, act_disconnect_user, "Disconnect the specified user" },
	{ "disconnect id", ARG_ID, 0, act_disconnect_id, "Disconnect the specified ID" },
	{ "terminate user", ARG_USER, 0, act_terminate_user,
	  "Disconnect the specified user and invalidate the sessions" },
	{ "terminate id", ARG_ID, 0, act_terminate_id,
	  "Disconnect the specified ID and invalidate its session" },
	{ "terminate session", ARG_SID, 0, act_terminate_session,
	  "Invalidate the specified session" },
	{ "unban ip", ARG_IP, 0, act_unban, "Unban the specified IP" },
	{ "reload", ARG_NONE, CMD_EXACT, act_reload, "Reload the server's configuration" },
	{ "show status", ARG_NONE, CMD_PAGED, show_status,
	  "Print the status and statistics of the server" },
	{ "show users", ARG_NONE, CMD_PAGED, show_users, "Print the connected users" },
	{ "show ip bans", ARG_NONE, CMD_PAGED, show_bans, "Print the banned IP addresses" },
	{ "show ip ban points", ARG_NONE, CMD_PAGED, show_ban_points,
	  "Print all known IP addresses which have points" },
	{ "show iroutes", ARG_NONE, CMD_PAGED, show_iroutes,
	  "Print the routes provided by users of the server" },
	{ "show sessions all", ARG_NONE, CMD_PAGED, show_sessions_all, "Print all sessions" },
	{ "show sessions valid", ARG_NONE, CMD_PAGED, show_sessions_valid,
	  "Print the sessions that can be used to reconnect" },
	{ "show cookies all", ARG_NONE, CMD_PAGED | CMD_HIDDEN, show_sessions_all, "" },
	{ "show cookies valid", ARG_NONE, CMD_PAGED | CMD_HIDDEN, show_sessions_valid, "" },
	{ "show session", ARG_SID, CMD_PAGED, show_session,
	  "Print information on the specified session" },
	{ "show user", ARG_USER, CMD_PAGED, show_user, "Print information on the specified user" },
	{ "show id", ARG_ID, CMD_PAGED, show_id, "Print information on the specified ID" },
	{ "show config user", ARG_USER, CMD_PAGED, show_config,
	  "Print what the user would get, and why; [group NAME] [vhost NAME]" },
	{ "show events", ARG_NONE, 0, show_events, "Tell which users connect and disconnect" },
	{ "stop now", ARG_NONE, CMD_EXACT, act_stop, "Stop the server" },
	{ "stop", ARG_NONE, CMD_EXACT | CMD_HIDDEN, act_stop, "" },
	{ "reset", ARG_NONE, CMD_SHELL, cmd_reset, "Reset the screen and terminal" },
	{ "help or ?", ARG_NONE, CMD_LABEL, cmd_help, "Print this help" },
	{ "help", ARG_NONE, CMD_UNLISTED, cmd_help, "" },
	{ "?", ARG_NONE, CMD_HIDDEN, cmd_help, "" },
	{ "exit", ARG_NONE, CMD_SHELL, cmd_leave, "Exit this application" },
	{ "quit", ARG_NONE, CMD_SHELL, cmd_leave, "Exit this application" },
	{ .name = NULL },
};

static int run(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd *cmd,
	       const struct cmd_value *value)
{
	struct pager pager = { 0 };
	int status;

	if (cmd->flags & CMD_PAGED)
		pager_begin(&pager, ctl);
	status = cmd->run(ctx, ctl, value);
	pager_end(&pager, ctl);
	return status;
}

/* The answers of admin.md 6.3 to lines that are no command. */
static int explain(const struct ctl *ctl, enum cmd_match match, const char *line,
		   const struct cmd_value *value)
{
	switch (match) {
	case CMD_PREFIX:
		cmd_print_help(ctl->out, line, ctl->interactive);
		return EXIT_FAILURE;
	case CMD_ARGUMENT:
		cmd_print_help(ctl->out, "", true);
		return EXIT_FAILURE;
	case CMD_BAD_IP:
		fprintf(stderr, "Cannot parse IP: %s\n", value->text);
		return EXIT_FAILURE;
	default:
		fprintf(stderr,
			"unknown command: %s\n"
			"use help or '?' to get a list of the available commands\n",
			line);
		return EXIT_FAILURE;
	}
}

/* Half of an answer must not look like a whole one.  Who has stopped reading knows it. */
static bool is_written(FILE *out)
{
	if (fflush(out) == 0 && !ferror(out))
		return true;
	if (errno != EPIPE)
		fprintf(stderr, "cannot write the answer: %s\n", strerror(errno));
	return false;
}

int cmd_run_line(struct ctl *ctl, const char *line)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct cmd_value value;
	const struct cmd *cmd;
	enum cmd_match match = cmd_parse(ctx, line, ctl->interactive, &cmd, &value);
	int status = EXIT_SUCCESS;

	if (match == CMD_FOUND)
		status = run(ctx, ctl, cmd, &value);
	else if (match != CMD_EMPTY)
		status = explain(ctl, match, line, &value);
	if (!is_written(ctl->out) && status == EXIT_SUCCESS)
		status = EXIT_FAILURE;
	talloc_free(ctx);
	return status;
}
