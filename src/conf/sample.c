/* sample.c - the commented sample file, made from the table. */
#include <string.h>

#include "conf/option.h"

enum { WIDTH = 78 }; /* columns of a comment */

/* Values for the sample where the table has no default; ACTIVE lines make a file that loads. */
struct example {
	enum conf_opt opt;
	bool active;
	const char *value;
};

static const struct example examples[] = {
	{ CONF_OPT_listen_host, false, "192.0.2.1" },
	{ CONF_OPT_udp_listen_host, false, "192.0.2.1" },
	{ CONF_OPT_listen_netns, false, "outside" },
	{ CONF_OPT_tcp_port, true, "443" },
	{ CONF_OPT_udp_port, true, "443" },
	{ CONF_OPT_run_as_user, true, "nobody" },
	{ CONF_OPT_run_as_group, true, "daemon" },
	{ CONF_OPT_socket_file, true, "/run/sallyport.socket" },
	{ CONF_OPT_use_occtl, true, "true" },
	{ CONF_OPT_chroot_dir, false, "/var/lib/sallyport" },
	{ CONF_OPT_pid_file, true, "/run/sallyport.pid" },
	{ CONF_OPT_device, true, "vpns" },
	{ CONF_OPT_server_cert, true, "/etc/sallyport/server-cert.pem" },
	{ CONF_OPT_server_key, true, "/etc/sallyport/server-key.pem" },
	{ CONF_OPT_pin_file, false, "/etc/sallyport/pin.txt" },
	{ CONF_OPT_srk_pin_file, false, "/etc/sallyport/srk-pin.txt" },
	{ CONF_OPT_key_pin, false, "1234" },
	{ CONF_OPT_srk_pin, false, "1234" },
	{ CONF_OPT_ca_cert, false, "/etc/sallyport/ca.pem" },
	{ CONF_OPT_crl, false, "/etc/sallyport/crl.pem" },
	{ CONF_OPT_ocsp_response, false, "/etc/sallyport/ocsp.der" },
	{ CONF_OPT_dh_params, false, "/etc/sallyport/dh.pem" },
	{ CONF_OPT_compression_algo_priority, false, "lzs:oc-lz4" },
	{ CONF_OPT_rekey_method, true, "ssl" },
	{ CONF_OPT_cert_user_oid, false, "0.9.2342.19200300.100.1.1" },
	{ CONF_OPT_cert_group_oid, false, "2.5.4.11" },
	{ CONF_OPT_auth, true, "\"plain[passwd=/etc/sallyport/passwd]\"" },
	{ CONF_OPT_enable_auth, false, "certificate" },
	{ CONF_OPT_acct, false, "radius[config=/etc/radcli/radiusclient.conf]" },
	{ CONF_OPT_connect_script, false, "/etc/sallyport/connect" },
	{ CONF_OPT_disconnect_script, false, "/etc/sallyport/disconnect" },
	{ CONF_OPT_host_update_script, false, "/etc/sallyport/host-update" },
	{ CONF_OPT_route_add_cmd, false, "ip route add %{RI} dev %{D}" },
	{ CONF_OPT_route_del_cmd, false, "ip route delete %{RI} dev %{D}" },
	{ CONF_OPT_ipv4_network, true, "192.168.99.0/24" },
	{ CONF_OPT_ipv4_netmask, false, "255.255.255.0" },
	{ CONF_OPT_ipv6_network, false, "fd00:99::/48" },
	{ CONF_OPT_ipv6_prefix, false, "48" },
	{ CONF_OPT_explicit_ipv4, false, "192.168.99.7" },
	{ CONF_OPT_explicit_ipv6, false, "fd00:99::7" },
	{ CONF_OPT_dns, true, "192.168.99.1" },
	{ CONF_OPT_nbns, false, "192.168.99.1" },
	{ CONF_OPT_split_dns, false, "corp.example" },
	{ CONF_OPT_default_domain, false, "corp.example" },
	{ CONF_OPT_hostname, false, "laptop" },
	{ CONF_OPT_route, false, "10.0.0.0/8" },
	{ CONF_OPT_no_route, false, "10.66.0.0/16" },
	{ CONF_OPT_iroute, false, "10.7.0.0/16" },
	{ CONF_OPT_restrict_user_to_ports, false, "tcp(443), udp(53), icmp()" },
	{ CONF_OPT_net_priority, false, "3" },
	{ CONF_OPT_select_group, false, "staff[The staff]" },
	{ CONF_OPT_default_select_group, false, "none" },
	{ CONF_OPT_config_per_user, false, "/etc/sallyport/users" },
	{ CONF_OPT_config_per_group, false, "/etc/sallyport/groups" },
	{ CONF_OPT_default_user_config, false, "/etc/sallyport/default-user" },
	{ CONF_OPT_default_group_config, false, "/etc/sallyport/default-group" },
	{ CONF_OPT_banner, false, "Welcome" },
	{ CONF_OPT_pre_login_banner, false, "For members only" },
	{ CONF_OPT_proxy_url, false, "http://proxy.corp.example/%{U}.pac" },
	{ CONF_OPT_listen_proxy_from, false, "192.0.2.7" },
	{ CONF_OPT_ban_exempt, false, "192.0.2.0/28" },
	{ CONF_OPT_custom_header, false, "X-User: %{U}" },
	{ CONF_OPT_included_http_headers, false, "X-Frame-Options: deny" },
	{ CONF_OPT_kkdcp, false, "/KdcProxy KERBEROS.EXAMPLE tcp@192.0.2.5:88" },
	{ CONF_OPT_user_profile, false, "/etc/sallyport/profile.xml" },
	{ CONF_OPT_camouflage_secret, false, "open-sesame" },
	{ CONF_OPT_camouflage_realm, false, "Restricted" },
	{ CONF_OPT_debug_datapath, false, "tun-offload,sealing" },
};

/* The value for the sample: an example, or the default. */
static const char *example(enum conf_opt opt, bool *active)
{
	*active = false;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		if (examples[i].opt == opt) {
			*active = examples[i].active;
			return examples[i].value;
		}
	}
	return conf_options[opt].def ? conf_options[opt].def : "";
}

/* TEXT as comment lines of at most WIDTH columns. */
static void put_comment(const char *text, FILE *out)
{
	while (*text) {
		size_t len = strlen(text), room = WIDTH - strlen("# ");

		for (size_t i = len > room ? room : len; len > room && i > 0; i--)
			if (text[i] == ' ')
				len = i;
		fprintf(out, "# %.*s\n", (int)len, text);
		text += len + (text[len] == ' ');
	}
}

/* Its sentence, its facts, and a line to uncomment. */
static void put_option(const struct conf_option *opt, FILE *out)
{
	bool active;
	const char *value = example(opt->id, &active);

	put_comment(opt->doc, out);
	fprintf(out, "# [%s; %s%s", opt->type->name, conf_scope_name(opt->scope),
		opt->flags & CONF_RELOAD ? "" : "; restart");
	if (opt->def)
		fprintf(out, "; default %s", opt->def);
	fprintf(out, "]\n%s%s = %s\n\n", active ? "" : "#", opt->name, value);
}

static const char intro[] =
	"# Sallyport: every option, with its default or an example.\n"
	"#\n"
	"# Lines that begin with # are comments.  What is not commented out makes a\n"
	"# server that works once there is a certificate, and a user:\n"
	"#     ocpasswd -c /etc/sallyport/passwd NAME\n"
	"# Check the file with sallyportd -t; sallyport.conf(5) explains more.\n"
	"#\n"
	"# In brackets stands what kind of value an option takes, where it may be set\n"
	"# (server: before the first [vhost:...] only; virtual host: there as well;\n"
	"# group file, user file: in the files of config-per-group and config-per-user\n"
	"# as well), \"restart\" where a reload does not change it, and the default.\n\n";

/* What a server with several names looks like; commented out, as its files do not exist. */
static const char outro[] =
	"### Virtual hosts\n\n"
	"# Clients that ask for this name in TLS get the settings of the section.  It\n"
	"# begins as a copy of everything above; lists are added to, certificates and\n"
	"# methods replaced.\n"
	"#[vhost:staff.example.com]\n"
	"#server-cert = /etc/sallyport/staff-cert.pem\n"
	"#server-key = /etc/sallyport/staff-key.pem\n"
	"#auth = certificate\n"
	"#ca-cert = /etc/sallyport/staff-ca.pem\n"
	"#cert-user-oid = 0.9.2342.19200300.100.1.1\n"
	"#ipv4-network = 192.168.98.0/24\n";

void conf_sample(FILE *out)
{
	fputs(intro, out);
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_section *section = conf_section_at((enum conf_opt)i);

		if (section) {
			fprintf(out, "### %s\n\n", section->title);
			put_comment(section->intro, out);
			fputs(*section->intro ? "\n" : "", out);
		}
		if (conf_options[i].scope != CONF_SCOPE_PERUSER)
			put_option(&conf_options[i], out);
	}
	fputs("### In files of config-per-user and config-per-group only\n\n", out);
	for (size_t i = 0; i < CONF_OPT_COUNT; i++)
		if (conf_options[i].scope == CONF_SCOPE_PERUSER)
			put_option(&conf_options[i], out);
	fputs(outro, out);
}
