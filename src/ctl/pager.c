/* pager.c - a child that shows our output page by page. */
#include "ctl/pager.h"

#include <stdlib.h>
#include <unistd.h>

/* The built-in default shows everything plainly where less is not installed. */
static const char *pager_command(void)
{
	const char *cmd = getenv("OCCTL_PAGER");

	if (!cmd)
		cmd = getenv("PAGER");
	if (cmd)
		return cmd;
	setenv("LESS", "FRSX", 1);
	return "if command -v less >/dev/null; then exec less; else exec cat; fi";
}

void pager_begin(struct pager *p, struct ctl *ctl)
{
	const char *cmd;

	if (ctl->json || ctl->no_pager || !isatty(STDOUT_FILENO))
		return;
	cmd = pager_command();
	if (!*cmd)
		return;
	fflush(ctl->out);
	p->pipe = popen(cmd, "we");
	p->before = ctl->out;
	if (p->pipe)
		ctl->out = p->pipe;
}

void pager_end(struct pager *p, struct ctl *ctl)
{
	if (!p->pipe)
		return;
	pclose(p->pipe);
	ctl->out = p->before;
}
