/* shell.h - occtl's interactive mode: line editing, history, TAB completion. */
#ifndef CTL_SHELL_H
#define CTL_SHELL_H

#include "ctl/cmd.h"

/* Reads and runs commands until exit, quit or the end of input.  Returns the exit code. */
int shell_run(struct ctl *ctl);

#endif /* CTL_SHELL_H */
