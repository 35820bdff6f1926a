/* args.c - reads what the supervisor, or auth for its runners, put on the command line. */
#include "auth/args.h"

#include <getopt.h>
#include <stddef.h>

#include "base/log.h"
#include "base/str.h"

static bool number(const char *text, int *out)
{
	uint64_t n;

	if (str_to_u64(text, INT32_MAX, &n))
		return false;
	*out = (int)n;
	return true;
}

bool auth_args_parse(int argc, char **argv, struct auth_args *out)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'k' },
		{ "traceable", no_argument, NULL, 'x' },
		{ "channel", required_argument, NULL, 'c' },
		{ "conf-fd", required_argument, NULL, 'f' },
		{ "verbosity", required_argument, NULL, 'v' },
		{ "log", required_argument, NULL, 'l' },
		{ "facility", required_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	struct auth_args a = { .channel = -1, .conf_fd = -1 };
	int verbosity = 2, targets = LOG_TO_STDERR, c;
	bool ok = true;

	while (ok && (c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'k' || c == 'x')
			*(c == 'k' ? &a.check : &a.traceable) = true;
		else if (c == 'c' || c == 'f')
			ok = number(optarg, c == 'c' ? &a.channel : &a.conf_fd);
		else if (c == 'v' || c == 'l')
			ok = number(optarg, c == 'v' ? &verbosity : &targets);
		else
			ok = c == 'y' && number(optarg, &a.facility);
	}
	a.verbosity = (unsigned)verbosity;
	a.log_targets = (unsigned)targets;
	*out = a;
	return ok && optind == argc && (a.check ? a.conf_fd : a.channel) >= 0;
}
