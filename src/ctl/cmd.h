/* cmd.h - occtl's commands as data: one table for parsing, help, completion and dispatch. */
#ifndef CTL_CMD_H
#define CTL_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <talloc.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/str.h"

enum { EXIT_NOT_FOUND = 2, CMD_LEAVE = -1 }; /* besides 0 and 1; CMD_LEAVE ends the shell */

enum cmd_arg { ARG_NONE, ARG_USER, ARG_ID, ARG_SID, ARG_IP };

enum cmd_flag {
	CMD_SHELL = 1,	    /* only in interactive mode */
	CMD_UNLISTED = 2,   /* not in the help */
	CMD_HIDDEN = 2 | 4, /* nor offered for completion */
	CMD_PAGED = 8,	    /* human output goes through the pager */
	CMD_EXACT = 16,	    /* further words make it another command; else they are passed over */
	CMD_LABEL = 32,	    /* only a line of the help */
};

struct geo;

/* What a command works with. */
struct ctl {
	const char *socket;
	bool json, no_pager, debug, interactive;
	bool utf8;	 /* the terminal shows UTF-8 */
	struct geo *geo; /* NULL: places are not known */
	FILE *out;	 /* stdout or the pager */
};

/* A command's argument, parsed. */
struct cmd_value {
	const char *text; /* as given, to the end of the line; NULL for ARG_NONE */
	uint32_t id;	  /* ARG_ID */
	struct addr addr; /* ARG_IP */
};

struct cmd {
	const char *name; /* words separated by one blank */
	enum cmd_arg arg;
	unsigned flags;
	/* Returns the exit code. */
	int (*run)(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *value);
	const char *help;
};

/* The table; ends with a NULL name. */
extern const struct cmd cmd_table[];

/* "[NAME]", "[ID]", ...; "" for ARG_NONE. */
const char *cmd_arg_name(enum cmd_arg arg);

enum cmd_match {
	CMD_FOUND,
	CMD_EMPTY,
	CMD_UNKNOWN,
	CMD_PREFIX,   /* the line is the beginning of known commands */
	CMD_ARGUMENT, /* known, but its argument is missing or of the wrong kind */
	CMD_BAD_IP,
};

/* Finds LINE's command: the first of the table whose words the line begins with, in any case and
 * with any number of blanks.  *CMD and *VALUE are set for CMD_FOUND; VALUE->text is a child of
 * CTX (set for CMD_BAD_IP too). */
enum cmd_match cmd_parse(TALLOC_CTX *ctx, const char *line, bool interactive,
			 const struct cmd **cmd, struct cmd_value *value);

/* Prints the commands that LINE is the beginning of ("" for all). */
void cmd_print_help(FILE *out, const char *line, bool interactive);

/* Runs LINE and returns the exit code. */
int cmd_run_line(struct ctl *ctl, const char *line);

/* What may stand at the end of a line, for completion. */
struct cmd_next {
	struct strv words; /* command words; children of the context */
	enum cmd_arg arg;  /* else the command is complete: an argument of this kind */
	const char *word;  /* where in the line the unfinished word or argument begins */
};

MUST_USE enum err cmd_complete(TALLOC_CTX *ctx, const char *line, struct cmd_next *next);

#endif /* CTL_CMD_H */
