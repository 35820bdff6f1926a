/* confgen.c - a build tool: prints the sample file or the manual page. */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sample") == 0) {
		conf_sample(stdout);
	} else if (argc == 2 && strcmp(argv[1], "man") == 0) {
		conf_man(stdout);
	} else {
		fprintf(stderr, "usage: confgen sample|man\n");
		return 2;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
