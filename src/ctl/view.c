/* view.c - the terminal as it is now. */
#include "ctl/view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

/* Only people at a terminal read in columns: a program that reads a pipe, and who says -n, gets
 * everything. */
static size_t terminal_width(const struct ctl *ctl)
{
	struct winsize size;

	if (ctl->json || ctl->no_pager || !isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

struct view view_of(TALLOC_CTX *ctx, const struct ctl *ctl)
{
	return (struct view){
		.ctx = ctx,
		.out = ctl->out,
		.now = clock_unix(),
		.width = terminal_width(ctl),
		.more = ctl->utf8 ? "…" : "~",
		.geo = ctl->geo,
		.debug = ctl->debug,
	};
}
