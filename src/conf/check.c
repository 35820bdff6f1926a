/* check.c - what must hold across options, in the order of config.md 9.  Keys and certificates are
 * loaded and checked by auth. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/auth_rules.h"
#include "conf/build.h"

/* A request target has 255 bytes, two of which are "/?". */
enum { CAMOUFLAGE_SECRET_MAX = 253 };

/* An error about OPT of HOST. */
static void complain(const struct host_conf *h, enum conf_opt opt, struct conf_report *r,
		     const char *text)
{
	const struct conf_where where = conf_where_of(h, opt);

	conf_report_add(r, CONF_ERROR, &where, "%s", text);
}

/* What the server cannot run without, and nothing else can stand for. */
static void check_mandatory(const struct conf *conf, struct conf_report *r)
{
	const struct host_conf *h = conf->host[0];

	if (!conf->socket_file)
		complain(h, CONF_OPT_socket_file, r,
			 "the 'socket-file' configuration option must be specified!  "
			 "Write for example socket-file = /run/sallyport.socket");
	if (!conf->tcp_port && !h->origin[CONF_OPT_tcp_port])
		complain(h, CONF_OPT_tcp_port, r,
			 "the tcp-port option is mandatory!  Write for example tcp-port = 443");
}

static void check_device(const struct conf *conf, const struct host_conf *h, struct conf_report *r)
{
	if (h->is_default && !conf->device && !h->origin[CONF_OPT_device])
		complain(h, CONF_OPT_device, r,
			 "the 'device' configuration option must be specified!  "
			 "Write for example device = vpns");
}

/* config.md 8.1: whom the worker processes become must exist. */
static void check_identity(const struct conf *conf, struct conf_report *r)
{
	const struct host_conf *h = conf->host[0];
	struct conf_where where;

	if (conf->run_as_user && !getpwnam(conf->run_as_user)) {
		where = conf_where_of(h, CONF_OPT_run_as_user);
		conf_report_add(r, CONF_ERROR, &where,
				"unknown user: %s; write one of this machine's, for example nobody",
				conf->run_as_user);
	}
	if (conf->run_as_group && !getgrnam(conf->run_as_group)) {
		where = conf_where_of(h, CONF_OPT_run_as_group);
		conf_report_add(
			r, CONF_ERROR, &where,
			"unknown group: %s; write one of this machine's, for example nogroup",
			conf->run_as_group);
	}
}

/* Certificates and keys come in pairs, matched by their order. */
static void check_keys(const struct host_conf *h, struct conf_report *r)
{
	if (!h->server_cert.n || !h->server_key.n)
		complain(h, h->server_cert.n ? CONF_OPT_server_cert : CONF_OPT_server_key, r,
			 "the 'server-cert' and 'server-key' configuration options must be "
			 "specified!");
}

static void check_pairs(const struct host_conf *h, struct conf_report *r)
{
	if (h->server_cert.n && h->server_key.n && h->server_cert.n != h->server_key.n)
		complain(h, CONF_OPT_server_key, r,
			 "the specified number of keys doesn't match the certificates; write one "
			 "server-key for each server-cert, in the same order");
}

/* A session needs an address of at least one family. */
static void check_pools(const struct host_conf *h, struct conf_report *r)
{
	const struct addr_net *v4 = &h->ipv4_network, *v6 = &h->ipv6_network;

	if (!v4->addr.family && !v6->addr.family && !h->origin[CONF_OPT_ipv4_network] &&
	    !h->origin[CONF_OPT_ipv6_network])
		complain(h, CONF_OPT_ipv4_network, r,
			 "no ipv4-network or ipv6-network options set.  Write for example "
			 "ipv4-network = 192.168.99.0/24");
	if (v4->addr.family && !v4->prefix)
		complain(h, CONF_OPT_ipv4_network, r,
			 "no mask found for IPv4 network.  Write A.B.C.D/N with N from 1 to 32");
	if (v6->addr.family && !v6->prefix)
		complain(h, CONF_OPT_ipv6_network, r,
			 "no prefix found for IPv6 network.  Write X::Y/N");
}

/* Each client gets a block of the pool. */
static void check_subnet(const struct host_conf *h, struct conf_report *r)
{
	const struct addr_net *v6 = &h->ipv6_network;
	const struct conf_where where = conf_where_of(h, CONF_OPT_ipv6_network);

	if (v6->addr.family && v6->prefix && h->ipv6_subnet_prefix <= v6->prefix)
		conf_report_add(r, CONF_ERROR, &where,
				"the subnet prefix (%u) cannot be smaller or equal to network's "
				"(%u)",
				h->ipv6_subnet_prefix, v6->prefix);
}

/* A certificate that names nobody would log in nobody. */
static void check_certificate_user(const struct host_conf *h, struct conf_report *r)
{
	const char *oid = h->cert_user_oid;

	if (!conf_wants_certificate(h))
		return;
	if (!oid)
		complain(h, CONF_OPT_cert_user_oid, r,
			 "a certificate is requested by the option 'cert-user-oid' is not set; "
			 "write an OID such as 0.9.2342.19200300.100.1.1 (UID) or 2.5.4.3 (CN)");
	else if (!isdigit((unsigned char)*oid) && strcmp(oid, "SAN(rfc822name)") != 0 &&
		 strcmp(oid, "SAN(upn)") != 0)
		complain(h, CONF_OPT_cert_user_oid, r,
			 "the option 'cert-user-oid' has a unsupported value; write an OID such as "
			 "0.9.2342.19200300.100.1.1, SAN(rfc822name) or SAN(upn)");
}

/* The second certificate comes after a first one. */
static void check_multiple(const struct host_conf *h, struct conf_report *r)
{
	if (h->multiple_cert_auth && !conf_wants_certificate(h))
		complain(
			h, CONF_OPT_multiple_cert_auth, r,
			"multiple-cert-auth needs the method certificate; write auth = certificate");
}

static void check_profile(const struct conf *conf, const struct host_conf *h, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, CONF_OPT_user_profile);
	char *inside;
	bool readable;

	if (!h->user_profile)
		return;
	/* config.md 8.13: a confined worker finds the file below its root. */
	inside = talloc_asprintf(NULL, "%s/%s", conf->chroot_dir ? conf->chroot_dir : "",
				 h->user_profile);
	readable = access(h->user_profile, R_OK) == 0 ||
		   (conf->chroot_dir && inside && access(inside, R_OK) == 0);
	talloc_free(inside);
	if (!readable)
		conf_report_add(r, CONF_ERROR, &where, "cannot open file '%s'", h->user_profile);
}

/* config.md 8.1: a folder that is not there confines nobody. */
static void check_chroot(const struct conf *conf, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(conf->host[0], CONF_OPT_chroot_dir);
	struct stat st;
	const char *why = NULL;

	if (!conf->chroot_dir)
		return;
	if (stat(conf->chroot_dir, &st) < 0)
		why = strerror(errno);
	else if (!S_ISDIR(st.st_mode))
		why = strerror(ENOTDIR);
	if (why)
		conf_report_add(r, CONF_ERROR, &where,
				"cannot use '%s' as chroot-dir: %s; name a directory that exists",
				conf->chroot_dir, why);
}

/* What a client can put behind the question mark of an URL, and this server still takes. */
static bool is_query(const struct secret *secret)
{
	for (size_t i = 0; i < secret->len; i++)
		if (secret->data[i] <= ' ' || secret->data[i] >= 0x7f || secret->data[i] == '#')
			return false;
	return secret->len && secret->len <= CAMOUFLAGE_SECRET_MAX;
}

/* Without a secret that can be sent nobody could ever log in. */
static void check_camouflage(const struct host_conf *h, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, CONF_OPT_camouflage_secret);

	if (!h->camouflage)
		return;
	if (!h->camouflage_secret)
		complain(
			h, CONF_OPT_camouflage, r,
			"camouflage needs camouflage_secret; write for example camouflage_secret = "
			"WORD, and have clients connect to https://HOST/?WORD");
	else if (!is_query(h->camouflage_secret))
		conf_report_add(
			r, CONF_ERROR, &where,
			"no client can send this camouflage_secret as part of an URL; write 1 to "
			"%d letters, digits, or characters such as - _ . ~",
			CAMOUFLAGE_SECRET_MAX);
}

/* Settings that contradict what some clients force. */
static void check_phones(const struct conf *conf, const struct host_conf *h, struct conf_report *r)
{
	if (h->cisco_svc_client_compat && conf->udp_port != 0 && conf->udp_port != 443)
		complain(h, CONF_OPT_cisco_svc_client_compat, r,
			 " cisco-svc-client-compat option requires udp-port = 443");
}

static void check_ciphers(const struct host_conf *h, struct conf_report *r)
{
	if (h->match_tls_dtls_ciphers && (h->dtls_legacy || h->cisco_client_compat))
		complain(h, CONF_OPT_match_tls_dtls_ciphers, r,
			 "'match-tls-dtls-ciphers' cannot be applied when 'dtls-legacy' or "
			 "'cisco-client-compat' is on; write dtls-legacy = false");
}

/* Headers that wire/http_resp.c will not send; nobody would see why. */
static const char *why_not_sent(const char *line)
{
	static const char *const own[] = { "connection", "content-length", "content-type",
					   "transfer-encoding" };
	size_t len = strcspn(line, ":");

	if (!line[len] || !len || strcspn(line, " \t") < len)
		return "it is no header; write Name: value";
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strlen(own[i]) == len && strncasecmp(line, own[i], len) == 0)
			return "the server sends its own";
	return NULL;
}

static void check_headers(const struct host_conf *h, enum conf_opt opt, const struct strv *lines,
			  struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, opt);

	for (size_t i = 0; i < lines->n; i++) {
		const char *why = why_not_sent(lines->item[i]);

		if (why)
			conf_report_add(r, CONF_WARNING, &where, "'%s' is not sent: %s",
					lines->item[i], why);
	}
}

/* Two sources for one session's settings would hide each other. */
static void check_supplemental(const struct host_conf *h, struct conf_report *r)
{
	if (h->radius_groupconfig && (h->config_per_user || h->config_per_group))
		complain(h,
			 h->config_per_user ? CONF_OPT_config_per_user : CONF_OPT_config_per_group,
			 r,
			 "specified config-per-user or config-per-group but supplemental config is "
			 "'radius'");
}

static void warn_unreadable(const struct host_conf *h, enum conf_opt opt, const char *path,
			    const char *effect, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, opt);

	if (path && access(path, R_OK) < 0)
		conf_report_add(r, CONF_WARNING, &where, "cannot read '%s': %s; %s", path,
				strerror(errno), effect);
}

/* They are read for each session, so they may come later; but a typing error should be seen now. */
static void check_user_files(const struct host_conf *h, struct conf_report *r)
{
	static const char nobody[] = "nobody has settings of his own";
	static const char refused[] = "sessions that need it are refused";

	warn_unreadable(h, CONF_OPT_config_per_user, h->config_per_user, nobody, r);
	warn_unreadable(h, CONF_OPT_config_per_group, h->config_per_group, nobody, r);
	warn_unreadable(h, CONF_OPT_default_user_config, h->default_user_config, refused, r);
	warn_unreadable(h, CONF_OPT_default_group_config, h->default_group_config, refused, r);
}

/* A name such as OU finds no group in any certificate. */
static void check_certificate_group(const struct host_conf *h, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(h, CONF_OPT_cert_group_oid);

	if (h->cert_group_oid && !isdigit((unsigned char)*h->cert_group_oid))
		conf_report_add(r, CONF_WARNING, &where,
				"'%s' is no OID, so no certificate has a group; write for example "
				"2.5.4.11 (OU)",
				h->cert_group_oid);
}

/* Whoever names proxies means them to be asked for headers. */
static void check_proxies(const struct conf *conf, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(conf->host[0], CONF_OPT_listen_proxy_from);

	if (conf->listen_proxy_from.n && !conf->listen_proxy_proto)
		conf_report_add(r, CONF_WARNING, &where,
				"has no effect without listen-proxy-proto = true");
}

/* In the order of config.md 9. */
static void check_host(const struct conf *conf, const struct host_conf *h, struct conf_report *r)
{
	check_keys(h, r);
	check_pools(h, r);
	check_pairs(h, r);
	check_certificate_user(h, r);
	check_certificate_group(h, r);
	check_multiple(h, r);
	check_profile(conf, h, r);
	check_phones(conf, h, r);
	check_subnet(h, r);
	check_device(conf, h, r);
	check_ciphers(h, r);
	check_supplemental(h, r);
	check_camouflage(h, r);
	check_user_files(h, r);
	check_headers(h, CONF_OPT_included_http_headers, &h->included_http_headers, r);
	check_headers(h, CONF_OPT_custom_header, &h->custom_header, r);
}

void conf_check(const struct conf *conf, struct conf_report *r)
{
	const struct conf_where where = conf_where_of(conf->host[0], CONF_OPT_isolate_workers);

	for (size_t i = 0; i < conf->n_hosts; i++)
		conf_check_auth(conf->host[i], r);
	check_mandatory(conf, r);
	for (size_t i = 0; i < conf->n_hosts; i++)
		check_host(conf, conf->host[i], r);
	check_identity(conf, r);
	check_proxies(conf, r);
	check_chroot(conf, r);
	if (!conf->isolate_workers)
		conf_report_add(r, CONF_WARNING, &where,
				"worker processes run without isolation; this is for debugging");
	conf_advise(conf, r);
}
