/* occtl.c - the administrator's tool (admin.md 6). */
#include "config.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "ctl/cmd.h"
#include "ctl/geo.h"
#include "ctl/shell.h"

#define DEFAULT_SOCKET "/var/run/occtl.socket"

static void usage(void)
{
	fputs("occtl: [OPTIONS...] {COMMAND}\n\n"
	      "  -s --socket-file       Control socket of the server (" DEFAULT_SOCKET ")\n"
	      "  -h --help              Show this help\n"
	      "     --debug             Show more in some commands\n"
	      "  -v --version           Show the program's version\n"
	      "  -j --json              Write JSON\n\n"
	      "Available Commands\n",
	      stdout);
	cmd_print_help(stdout, "", false);
	fputc('\n', stdout);
}

static void banner(void)
{
	fputs("Sallyport server control (occtl) version " PACKAGE_VERSION "\n\n"
	      "For help type ? or 'help'\n"
	      "==================================================================\n",
	      stderr);
}

enum option_result { OPTION_TAKEN, OPTION_TAKEN_TWO, OPTION_LEAVE };

/* admin.md 6.1: known by the first letter after the dashes; what is unknown shows the usage. */
static enum option_result read_option(struct ctl *ctl, const char *option, const char *next)
{
	switch (option[strspn(option, "-")]) {
	case 's':
		if (!next)
			break;
		ctl->socket = next;
		return OPTION_TAKEN_TWO;
	case 'j':
		ctl->json = true;
		return OPTION_TAKEN;
	case 'n':
		ctl->no_pager = true;
		return OPTION_TAKEN;
	case 'd':
		ctl->debug = true;
		return OPTION_TAKEN;
	case 'v':
		banner();
		return OPTION_LEAVE;
	}
	usage();
	return OPTION_LEAVE;
}

/* The words of the command with a blank between them. */
static char *join(TALLOC_CTX *ctx, char **argv)
{
	char *line = talloc_strdup(ctx, "");

	for (; line && *argv; argv++)
		line = talloc_asprintf_append_buffer(line, "%s%s", *line ? " " : "", *argv);
	return line;
}

/* Whether the terminal shows UTF-8 is for the user's locale to say.  Names are UTF-8 in any case:
 * line editing and the widths of characters need a locale that knows it. */
static bool set_locale(void)
{
	bool utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	if (!utf8)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	return utf8;
}

static int run_command(struct ctl *ctl, char **argv)
{
	char *line = join(NULL, argv);
	int status = line ? cmd_run_line(ctl, line) : EXIT_FAILURE;

	talloc_free(line);
	return status;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .socket = DEFAULT_SOCKET, .out = stdout };
	int i = 1, status;

	(void)argc;
	signal(SIGPIPE, SIG_IGN); /* a pager that is left early is no failure */
	while (argv[i] && argv[i][0] == '-') {
		enum option_result r = read_option(&ctl, argv[i], argv[i + 1]);
		if (r == OPTION_LEAVE)
			return EXIT_SUCCESS;
		i += r == OPTION_TAKEN_TWO ? 2 : 1;
	}
	ctl.utf8 = set_locale();
	ctl.geo = geo_new(NULL, getenv("OCCTL_GEOIP"));
	if (!argv[i]) {
		ctl.json = false;
		ctl.interactive = true;
		banner();
		status = shell_run(&ctl);
	} else {
		status = run_command(&ctl, argv + i);
	}
	talloc_free(ctl.geo);
	return status;
}
