/* ocpasswd.c - the editor of password files (admin.md 7) and, what ocserv lacks, of OTP users
 * files. */
#include "config.h"

#include <getopt.h>
#include <limits.h>
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
#include "ctl/edit.h"
#include "ctl/passwd.h"
#include "ctl/totp.h"

#define DEFAULT_FILE "/etc/ocserv/ocpasswd"

struct args {
	const char *file, *groups;
	const char *totp, *issuer; /* a token instead of a password */
	struct passwd_edit edit;
};

static void usage(FILE *out)
{
	fputs("Usage: ocpasswd [-c FILE] [-g GROUPS] [-d | -l | -u] USERNAME\n"
	      "       ocpasswd -t FILE [-i ISSUER | -d] USERNAME\n"
	      "Sets the password of a VPN user; from standard input when that is no terminal.\n"
	      "With -t, makes a new secret for one-time passwords and shows its QR code.\n\n"
	      "  -c, --passwd=FILE       the password file (" DEFAULT_FILE ")\n"
	      "  -g, --groupname=GROUPS  comma separated groups of the user (none)\n"
	      "  -d, --delete            remove the user\n"
	      "  -l, --lock              disable the user's password\n"
	      "  -u, --unlock            enable it again\n"
	      "  -t, --totp=FILE         the users file of one-time passwords\n"
	      "  -i, --issuer=NAME       what the authenticator shows beside the name (host name)\n"
	      "  -v, --version           show the version\n"
	      "  -h, --help              show this text\n",
	      out);
}

/* ---- command line ---- */

/* Stores an option's argument; a repeated option ends the program. */
static bool set_once(const char **slot, int option, const char *value)
{
	if (*slot) {
		fprintf(stderr, "-%c option cannot be specified multiple time\n", option);
		exit(EXIT_FAILURE);
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
		return set_once(&a->file, option, optarg);
	case 'g':
		return set_once(&a->groups, option, optarg);
	case 't':
		return set_once(&a->totp, option, optarg);
	case 'i':
		return set_once(&a->issuer, option, optarg);
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

/* Whether the options go together: a token has no password file, groups or locks. */
static bool fits(const struct args *a)
{
	if (!a->totp)
		return !a->issuer;
	return !a->file && !a->groups &&
	       (a->edit.action == PASSWD_SET || (a->edit.action == PASSWD_DELETE && !a->issuer));
}

/* False: usage is due. */
static bool read_args(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "passwd", required_argument, NULL, 'c' },
		{ "groupname", required_argument, NULL, 'g' },
		{ "totp", required_argument, NULL, 't' },
		{ "issuer", required_argument, NULL, 'i' },
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
	while ((option = getopt_long(argc, argv, "c:g:t:i:dluvh", options, NULL)) != -1)
		if (!read_option(a, option, &actions))
			return false;
	if (argc - optind != 1 || !fits(a))
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

/* The same from a terminal, without echo.  The prompt comes last: what answers it must neither be
 * shown nor be dropped with what was typed too early. */
static bool prompt_line(const char *prompt, char *line, size_t size)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, old_interrupt;
	struct termios old, quiet;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return false;
	sigaction(SIGINT, &interrupt, &old_interrupt);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	ok = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
	fputs(prompt, stderr);
	ok = ok && read_line(line, size);
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

static enum err edit_passwd(TALLOC_CTX *ctx, void *arg, const char *text, size_t len, char **out,
			    size_t *out_len)
{
	return passwd_apply(ctx, text, len, arg, out, out_len);
}

static bool run_passwd(TALLOC_CTX *ctx, struct args *a)
{
	struct edit edit = {
		.file = a->file,
		.may_be_made = a->edit.action == PASSWD_SET,
		.fn = edit_passwd,
		.arg = &a->edit,
	};

	if (a->edit.action == PASSWD_SET) {
		a->edit.hash = make_hash(ctx);
		if (!a->edit.hash)
			return false;
	}
	return edit_file(ctx, &edit);
}

/* ---- one-time passwords ---- */

struct token {
	const char *user;
	const uint8_t *secret; /* NULL: only take the old ones away */
	unsigned removed;
};

static enum err edit_totp(TALLOC_CTX *ctx, void *arg, const char *text, size_t len, char **out,
			  size_t *out_len)
{
	struct token *t = arg;
	enum err err = totp_edit(ctx, text, len, t->user, t->secret, &t->removed, out, out_len);

	return !err && !t->secret && !t->removed ? ERR_NOT_FOUND : err;
}

/* Shows the secret once and never again: to the user's authenticator. */
static bool show_token(TALLOC_CTX *ctx, const struct args *a, const uint8_t secret[TOTP_SECRET])
{
	char host[HOST_NAME_MAX + 1] = "VPN";
	const char *issuer = a->issuer;
	char *uri, *qr;

	if (!issuer) {
		(void)gethostname(host, sizeof host - 1);
		issuer = host;
	}
	uri = totp_uri(ctx, issuer, a->edit.user, secret);
	qr = uri ? totp_qr(ctx, uri, isatty(STDOUT_FILENO)) : NULL;
	if (!qr) {
		fputs("The names are too long for a QR code\n", stderr);
		return false;
	}
	printf("%s\n%s", uri, qr);
	return fflush(stdout) == 0;
}

static bool run_totp(TALLOC_CTX *ctx, const struct args *a)
{
	uint8_t secret[TOTP_SECRET];
	struct token token = { .user = a->edit.user };
	struct edit edit = { .file = a->totp, .server_too = true, .fn = edit_totp, .arg = &token };
	bool ok;

	if (a->edit.action == PASSWD_SET) {
		secret_random(secret, sizeof secret);
		token.secret = secret;
		edit.may_be_made = true;
	}
	ok = edit_file(ctx, &edit);
	if (ok && token.secret)
		ok = show_token(ctx, a, secret);
	if (ok && token.secret && token.removed)
		fputs("The earlier secret of the user is not valid any more\n", stderr);
	secret_wipe(secret, sizeof secret);
	return ok;
}

int main(int argc, char **argv)
{
	struct args args = { 0 };
	TALLOC_CTX *ctx;
	bool ok;

	if (!read_args(&args, argc, argv)) {
		usage(stderr);
		return EXIT_FAILURE;
	}
	umask(077);
	ctx = talloc_new(NULL);
	ok = check_names(&args) && (args.totp ? run_totp(ctx, &args) : run_passwd(ctx, &args));
	talloc_free(ctx);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
