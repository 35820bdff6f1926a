/* ocpasswd.c - the password-file editor (admin.md 7). */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <crypt.h>
#include <talloc.h>

#include "base/secret.h"
#include "ctl/passwd.h"

#define DEFAULT_FILE "/etc/ocserv/ocpasswd"

struct args {
	const char *file, *groups;
	struct passwd_edit edit;
};

static void usage(FILE *out)
{
	fputs("Usage: ocpasswd [-c FILE] [-g GROUPS] [-d | -l | -u] USERNAME\n"
	      "Sets the password of a VPN user; from standard input when that is no terminal.\n\n"
	      "  -c, --passwd=FILE       the password file (" DEFAULT_FILE ")\n"
	      "  -g, --groupname=GROUPS  comma separated groups of the user (none)\n"
	      "  -d, --delete            remove the user\n"
	      "  -l, --lock              disable the user's password\n"
	      "  -u, --unlock            enable it again\n"
	      "  -v, --version           show the version\n"
	      "  -h, --help              show this text\n",
	      out);
}

/* ---- command line ---- */

/* Stores an option's argument; a repeated option is refused. */
static bool set_once(const char **slot, char option, const char *value)
{
	if (*slot) {
		fprintf(stderr, "-%c option cannot be specified multiple time\n", option);
		return false;
	}
	*slot = value;
	return true;
}

/* At most one of delete, lock and unlock. */
static bool set_action(struct args *a, unsigned *actions, enum passwd_action action)
{
	a->edit.action = action;
	return ++*actions == 1;
}

static bool read_option(struct args *a, int option, unsigned *actions)
{
	switch (option) {
	case 'c':
		if (set_once(&a->file, 'c', optarg))
			return true;
		exit(EXIT_FAILURE);
	case 'g':
		if (set_once(&a->groups, 'g', optarg))
			return true;
		exit(EXIT_FAILURE);
	case 'd':
		return set_action(a, actions, PASSWD_DELETE);
	case 'l':
		return set_action(a, actions, PASSWD_LOCK);
	case 'u':
		return set_action(a, actions, PASSWD_UNLOCK);
	case 'v':
		fputs("ocpasswd (" PACKAGE_NAME ") " PACKAGE_VERSION "\n", stderr);
		exit(EXIT_SUCCESS);
	case 'h':
		usage(stderr);
		exit(EXIT_SUCCESS);
	}
	return false;
}

/* False: usage is due. */
static bool read_args(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "passwd", required_argument, NULL, 'c' },
		{ "groupname", required_argument, NULL, 'g' },
		{ "delete", no_argument, NULL, 'd' },
		{ "lock", no_argument, NULL, 'l' },
		{ "unlock", no_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned actions = 0;
	int option;

	a->edit.action = PASSWD_SET;
	while ((option = getopt_long(argc, argv, "c:g:dluvh", options, NULL)) != -1)
		if (!read_option(a, option, &actions))
			return false;
	if (argc - optind != 1)
		return false;
	a->edit.user = argv[optind];
	a->edit.groups = a->groups ? a->groups : "*";
	if (!a->file)
		a->file = DEFAULT_FILE;
	return true;
}

/* ---- password ---- */

/* Reads one line of at most SIZE-1 bytes byte by byte, so that the stream keeps no copy. */
static bool read_line(char *line, size_t size)
{
	size_t n = 0;
	ssize_t got;
	char c;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (n + 1 >= size)
			return false;
		line[n++] = c;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = 0;
	return got >= 0;
}

/* An interrupt then ends the read, and the terminal gets its echo back. */
static void on_interrupt(int sig)
{
	(void)sig;
}

/* The same from a terminal, without echo. */
static bool prompt_line(const char *prompt, char *line, size_t size)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, old_interrupt;
	struct termios old, quiet;
	bool ok;

	fputs(prompt, stderr);
	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return false;
	sigaction(SIGINT, &interrupt, &old_interrupt);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	ok = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0 && read_line(line, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	sigaction(SIGINT, &old_interrupt, NULL);
	fputc('\n', stderr);
	return ok;
}

/* Whether PASSWORD (SIZE bytes) was given properly; says why not. */
static bool ask_password(char *password, char *again, size_t size)
{
	bool tty = isatty(STDIN_FILENO);

	if (!(tty ? prompt_line("Enter password: ", password, size) : read_line(password, size))) {
		fputs("The password cannot be read or is too long\n", stderr);
		return false;
	}
	if (!*password) {
		fputs("Please specify a password\n", stderr);
		return false;
	}
	if (!tty)
		return true;
	if (!prompt_line("Re-enter password: ", again, size) || strcmp(password, again) != 0) {
		fputs("Passwords do not match\n", stderr);
		return false;
	}
	return true;
}

/* SHA-256 crypt with a salt of the library's choice; child of CTX. */
static char *hash_password(TALLOC_CTX *ctx, const char *password)
{
	struct crypt_data *data = talloc_zero(ctx, struct crypt_data);
	char *setting = crypt_gensalt_ra("$5$", 0, NULL, 0), *hash = NULL;

	if (data && setting) {
		const char *text = crypt_r(password, setting, data);
		if (text && text[0] == '$')
			hash = talloc_strdup(ctx, text);
	}
	free(setting);
	if (data)
		secret_wipe(data, sizeof *data);
	if (!hash)
		fputs("Cannot hash the password\n", stderr);
	return hash;
}

static char *make_hash(TALLOC_CTX *ctx)
{
	char password[CRYPT_MAX_PASSPHRASE_SIZE], again[CRYPT_MAX_PASSPHRASE_SIZE];
	char *hash = NULL;

	if (ask_password(password, again, sizeof password))
		hash = hash_password(ctx, password);
	secret_wipe(password, sizeof password);
	secret_wipe(again, sizeof again);
	return hash;
}

/* ---- the file ---- */

/* Contents of FILE, child of CTX; *TEXT is NULL when it does not exist and may be made. */
static bool load(TALLOC_CTX *ctx, const char *file, bool may_be_made, char **text, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	*text = NULL;
	*len = 0;
	if (fd < 0 && errno == ENOENT && may_be_made)
		return true;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= PASSWD_FILE) {
		*text = talloc_size(ctx, (size_t)st.st_size + 1);
		for (n = *text ? 1 : -1; n > 0 && *len < (size_t)st.st_size; *len += (size_t)n)
			n = read(fd, *text + *len, (size_t)st.st_size - *len);
	}
	if (n < 0)
		fprintf(stderr, "Cannot open '%s' for reading.\n", file);
	if (fd >= 0)
		close(fd);
	return n >= 0;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return fchmod(fd, 0600) == 0 && fsync(fd) == 0;
}

/* The rename is on disk when the directory is. */
static void sync_folder(TALLOC_CTX *ctx, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash ? talloc_strndup(ctx, file, (size_t)(slash - file) + 1) : NULL;
	int fd = open(dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
}

/* Reads, edits and writes FILE while FD, its lock, is open; says what failed. */
static bool rewrite(TALLOC_CTX *ctx, const struct args *a, int fd)
{
	size_t len, new_len;
	char *text, *new_text;
	enum err err;

	if (!load(ctx, a->file, a->edit.action == PASSWD_SET, &text, &len))
		return false;
	err = passwd_apply(ctx, text, len, &a->edit, &new_text, &new_len);
	if (err) {
		fprintf(stderr, "Cannot edit '%s': %s.\n", a->file, err_text(err));
		return false;
	}
	if (!write_all(fd, new_text, new_len)) {
		fprintf(stderr, "Cannot write '%s.tmp': %s.\n", a->file, strerror(errno));
		return false;
	}
	return true;
}

/* FILE.tmp is the lock and becomes the new file.  Interrupts wait, so that no lock stays behind. */
static bool edit_file(TALLOC_CTX *ctx, const struct args *a)
{
	char *tmp = talloc_asprintf(ctx, "%s.tmp", a->file);
	sigset_t all;
	bool ok;
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	fd = tmp ? open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (fd < 0) {
		if (errno == EEXIST)
			fprintf(stderr, "file '%s' is locked.\n", a->file);
		else
			fprintf(stderr, "Cannot open '%s.tmp': %s.\n", a->file, strerror(errno));
		return false;
	}
	ok = rewrite(ctx, a, fd);
	close(fd);
	if (ok && rename(tmp, a->file) < 0) {
		fprintf(stderr, "Cannot replace '%s': %s.\n", a->file, strerror(errno));
		ok = false;
	}
	if (ok)
		sync_folder(ctx, a->file);
	else
		unlink(tmp);
	return ok;
}

static bool check_names(const struct args *a)
{
	if (!passwd_is_valid_field(a->edit.user)) {
		fputs("The user name may not be empty or have colons or control characters\n",
		      stderr);
		return false;
	}
	if (!passwd_is_valid_field(a->edit.groups)) {
		fputs("The groups may not be empty or have colons or control characters\n", stderr);
		return false;
	}
	return true;
}

static int run(TALLOC_CTX *ctx, struct args *a)
{
	if (!check_names(a))
		return EXIT_FAILURE;
	if (a->edit.action == PASSWD_SET) {
		a->edit.hash = make_hash(ctx);
		if (!a->edit.hash)
			return EXIT_FAILURE;
	}
	return edit_file(ctx, a) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct args args = { 0 };
	TALLOC_CTX *ctx;
	int status;

	if (!read_args(&args, argc, argv)) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	umask(077);
	ctx = talloc_new(NULL);
	status = run(ctx, &args);
	talloc_free(ctx);
	return status;
}
