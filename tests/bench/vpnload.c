/* vpnload.c - a client that moves packets as the server does, many at a time, so that in a
 * benchmark the server is the bottleneck.  For tests: whoever answers is trusted. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/bench/device.h"
#include "tests/bench/dtls.h"
#include "tests/bench/login.h"
#include "tests/bench/pump.h"

static const char usage[] =
	"usage: vpnload -u USER [-p PASSWORD] [OPTION...] SERVER[:PORT]\n"
	"A batched client of the OpenConnect protocol, to load a server with.  It does NOT check\n"
	"the server's certificate: use it in test networks only.\n"
	"  -u, --user NAME        user name\n"
	"  -p, --password TEXT    password (default: a line of standard input)\n"
	"      --dtls             carry packets over DTLS (default)\n"
	"      --tls              carry packets over TLS only\n"
	"      --tun NAME         name of the TUN device (default: vpnload%d)\n"
	"      --mtu BYTES        size of inner packets to ask for (default: 1434)\n"
	"      --no-ip            leave MTU, addresses and routes of the device to others\n"
	"It prints one line when packets pass and one with its counters at its end; SIGTERM or\n"
	"SIGINT ends the session.  A default route is never set.\n";

struct options {
	struct login_ask ask;
	const char *tun;
	bool no_ip;
};

enum { OPT_DTLS = 256, OPT_TLS, OPT_TUN, OPT_MTU, OPT_NO_IP, OPT_HELP };
enum { MTU = 1434, MTU_MIN = 576, MTU_MAX = 16384 };

static enum err take_mtu(const char *text, unsigned *out)
{
	uint64_t mtu;
	if (str_to_u64(text, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return ERR_RANGE;
	*out = (unsigned)mtu;
	return ERR_OK;
}

/* SERVER[:PORT] or [IPV6]:PORT, cut in place. */
static void take_server(char *text, struct login_ask *ask)
{
	char *end = *text == '[' ? strchr(text, ']') : NULL, *port = strrchr(text, ':');
	ask->host = text;
	ask->port = "443";
	if (end) {
		*end = '\0';
		ask->host = text + 1;
		port = end[1] == ':' ? end + 1 : NULL;
	}
	if (port && (end || strchr(text, ':') == port)) {
		*port = '\0';
		ask->port = port + 1;
	}
}

static const struct option long_options[] = { { "user", required_argument, NULL, 'u' },
					      { "password", required_argument, NULL, 'p' },
					      { "dtls", no_argument, NULL, OPT_DTLS },
					      { "tls", no_argument, NULL, OPT_TLS },
					      { "tun", required_argument, NULL, OPT_TUN },
					      { "mtu", required_argument, NULL, OPT_MTU },
					      { "no-ip", no_argument, NULL, OPT_NO_IP },
					      { "help", no_argument, NULL, OPT_HELP },
					      { 0 } };

static enum err take_option(int option, struct options *o)
{
	switch (option) {
	case 'u':
		o->ask.user = optarg;
		return ERR_OK;
	case 'p':
		o->ask.password = optarg;
		return ERR_OK;
	case OPT_DTLS:
	case OPT_TLS:
		o->ask.dtls = option == OPT_DTLS;
		return ERR_OK;
	case OPT_TUN:
		o->tun = optarg;
		return ERR_OK;
	case OPT_MTU:
		return take_mtu(optarg, &o->ask.mtu);
	case OPT_NO_IP:
		o->no_ip = true;
		return ERR_OK;
	}
	return ERR_SYNTAX;
}

static enum err parse(int argc, char **argv, struct options *o)
{
	int option;
	*o = (struct options){ .ask = { .dtls = true, .mtu = MTU }, .tun = "vpnload%d" };
	while ((option = getopt_long(argc, argv, "u:p:", long_options, NULL)) != -1) {
		enum err err = take_option(option, o);
		if (err)
			return err;
	}
	if (optind + 1 != argc || !o->ask.user)
		return ERR_SYNTAX;
	take_server(argv[optind], &o->ask);
	return ERR_OK;
}

/* The password, where it was not given: one line.  LINE is its memory. */
static enum err read_password(struct options *o, char *line, int size)
{
	if (o->ask.password)
		return ERR_OK;
	if (!fgets(line, size, stdin))
		return ERR_CLOSED;
	line[strcspn(line, "\r\n")] = '\0';
	o->ask.password = line;
	return ERR_OK;
}

static int complain(const char *what)
{
	fprintf(stderr, "vpnload: %s\n", what);
	return EXIT_FAILURE;
}

/* A descriptor that is readable when the user wants an end. */
static int stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void announce(const struct device *dev, const struct login_grant *grant,
		     gnutls_session_t tls, const struct dtls *d)
{
	char *text = gnutls_session_get_desc(d ? d->s : tls);
	printf("connected device=%s address=%s mtu=%u channel=%s cipher=%s\n", dev->name,
	       grant->address, grant->mtu, d ? "dtls" : "tls", text ? text : "?");
	gnutls_free(text);
	fflush(stdout);
}

static int work(struct login *l, const struct login_grant *grant, struct dtls *d,
		const struct options *o, int stop)
{
	struct device dev;
	struct pump *p;
	int tun;
	if (device_open(o->tun, &dev, &tun)) {
		(void)snprintf(l->why, sizeof l->why, "TUN %s: %s", o->tun, strerror(errno));
		return complain(l->why);
	}
	if (!o->no_ip && device_configure(&dev, grant)) {
		close(tun);
		return complain("ip(8) has failed");
	}
	if (pump_new(l, tun, dev.uso, l, d, &p))
		return complain(err_text(ERR_NOMEM));
	announce(&dev, grant, l->tls, d);
	enum err err = pump_run(p, stop);
	const struct pump_count *c = pump_count(p);
	printf("ended sent=%llu received=%llu dropped=%llu\n", (unsigned long long)c->tx_packets,
	       (unsigned long long)c->rx_packets, (unsigned long long)c->dropped);
	fflush(stdout);
	if (err)
		return complain(err == ERR_CLOSED ? "the server has ended the session"
						  : err_text(err));
	return EXIT_SUCCESS;
}

static int session(TALLOC_CTX *ctx, const struct options *o, int stop)
{
	struct login *l = NULL;
	struct login_grant grant;
	struct dtls *d = NULL;
	enum err err = login_new(ctx, &o->ask, &l);
	if (!err)
		err = login_run(l, &o->ask);
	if (!err)
		err = login_open(l, &o->ask, &grant);
	if (!err && o->ask.dtls && !grant.app_id_len)
		return complain("the server offers no DTLS");
	if (!err && o->ask.dtls)
		err = dtls_new(l, l, &grant, &d);
	if (err)
		return complain(l && l->why[0] ? l->why : err_text(err));
	return work(l, &grant, d, o, stop);
}

int main(int argc, char **argv)
{
	struct options o;
	char line[256];
	enum err err = parse(argc, argv, &o);
	if (err) {
		fputs(usage, stderr);
		return 2;
	}
	if (read_password(&o, line, sizeof line))
		return complain("no password on standard input");
	int stop = stop_signals();
	TALLOC_CTX *ctx = talloc_new(NULL);
	int status = stop < 0 || !ctx ? complain(strerror(errno)) : session(ctx, &o, stop);
	talloc_free(ctx);
	return status;
}
