/* man.c - the manual page sallyport.conf(5) and the sample file, made from the table. */
#include <string.h>

#include "conf/option.h"

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

/* Its sentence, its facts, and a line to uncomment. */
static void sample_option(const struct conf_option *opt, FILE *out)
{
	bool active;
	const char *value = example(opt->id, &active);

	fprintf(out, "# %s\n# [%s, %s%s", opt->doc, opt->type->name, conf_scope_name(opt->scope),
		opt->flags & CONF_RELOAD ? "" : ", restart");
	if (opt->def)
		fprintf(out, ", default %s", opt->def);
	fprintf(out, "]%s\n", opt->flags & CONF_LATER ? "  Not implemented yet." : "");
	fprintf(out, "%s%s = %s\n\n", active ? "" : "#", opt->name, value);
}

void conf_sample(FILE *out)
{
	fputs("# Sallyport: every option.  Lines that begin with # are comments.\n"
	      "# In brackets: the type, where the option may be set (the server; also in\n"
	      "# [vhost:NAME] sections; also in the files of config-per-group and\n"
	      "# config-per-user), whether a change needs a restart, and the default.\n\n",
	      out);
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const char *title = conf_section_title((enum conf_opt)i);

		if (title)
			fprintf(out, "### %s\n\n", title);
		sample_option(&conf_options[i], out);
	}
}

/* Text for mdoc: a line must not begin with a dot, backslashes are doubled. */
static void put_mdoc(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++)
		if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
}

/* One entry of the list, with the same facts. */
static void man_option(const struct conf_option *opt, FILE *out)
{
	fprintf(out, ".It Cm %s No = Ar %s\n", opt->name, opt->type->name);
	put_mdoc(opt->doc, out);
	if (opt->def && *opt->def) {
		fputs("\nDefault: ", out);
		put_mdoc(opt->def, out);
		fputc('.', out);
	}
	fprintf(out, "\nScope: %s%s.\n", conf_scope_name(opt->scope),
		opt->flags & CONF_RELOAD ? "" : "; changes need a restart");
	if (opt->flags & CONF_LATER)
		fputs("Not implemented yet.\n", out);
}

/* What the table does not know: the file's grammar, in short. */
static const char prologue[] =
	".Dd $Mdocdate$\n"
	".Dt SALLYPORT.CONF 5\n"
	".Os\n"
	".Sh NAME\n"
	".Nm sallyport.conf\n"
	".Nd configuration of the Sallyport VPN server\n"
	".Sh DESCRIPTION\n"
	"The file has one\n"
	".Ar option No = Ar value\n"
	"per line, at most 2047 bytes long; a colon serves as well as the equals sign.\n"
	"Lines that begin with\n"
	".Ql #\n"
	"or\n"
	".Ql \\&;\n"
	"are comments, and so is the rest of a line after a blank and\n"
	".Ql # .\n"
	"Quotes around a value are dropped.\n"
	"An option that takes a list may be repeated; a line that begins with a blank is\n"
	"another value of the option above it.\n"
	"Booleans are\n"
	".Ql true\n"
	"or\n"
	".Ql yes ;\n"
	"everything else means false.\n"
	".Pp\n"
	"A section\n"
	".Li [vhost:NAME]\n"
	"begins the settings of a virtual host, which clients choose by the server name of TLS.\n"
	"It starts as a copy of what stands above its first line; lists are appended to.\n"
	".Pp\n"
	"The files in the directories of\n"
	".Cm config-per-group\n"
	"and\n"
	".Cm config-per-user\n"
	"have the same form without sections.\n"
	"Their values take the place of the host's, first the group's, then the user's.\n"
	".Pp\n"
	"Options without another word change with a reload, for new sessions.\n"
	".Sh OPTIONS\n";

/* What an administrator has to set on both sides. */
static const char proxies[] =
	".Sh BEHIND A TCP PROXY\n"
	"A proxy or load balancer in front of the server passes TLS through (HAProxy: mode tcp), since\n"
	"keys, client certificates and DTLS need it end to end.\n"
	"With\n"
	".Cm listen-proxy-proto\n"
	"and, on HAProxy's server line,\n"
	".Ql send-proxy-v2\n"
	"(or\n"
	".Ql send-proxy )\n"
	"the server knows each client's own address: bans, logs, occtl, scripts, RADIUS and\n"
	".Cm deny-roaming\n"
	"go by it.\n"
	"Every TCP connection must then begin with a header;\n"
	".Cm listen-proxy-from\n"
	"names the machines that may send one.\n"
	"Records beside the addresses are ignored but for the checksum, and a connection id is logged at\n"
	"debug level; a certificate's name told by the proxy logs in nobody.\n"
	"Datagrams do not pass the proxy: clients send them to the address they know,\n"
	"and the server should be reachable there on\n"
	".Cm udp-port ,\n"
	"or set it to 0.\n"
	"Health checks, with and without\n"
	".Ql check-send-proxy ,\n"
	"cost no points; without\n"
	".Cm listen-proxy-proto\n"
	"the proxy's address should be in\n"
	".Cm ban-exempt ,\n"
	"or one user's wrong passwords ban everyone behind it.\n";

/* Who knows the word, who does not, and what each of them sees. */
static const char camouflage[] =
	".Sh CAMOUFLAGE\n"
	"With\n"
	".Cm camouflage\n"
	"the server looks like a plain web server to those who do not know\n"
	".Cm camouflage_secret .\n"
	"Users connect to\n"
	".Li https://HOST/?SECRET ,\n"
	"or to\n"
	".Li https://HOST/GROUP?SECRET\n"
	"with\n"
	".Cm select-group-by-url :\n"
	".Dl openconnect 'https://vpn.example.com/?SECRET'\n"
	"The part behind the first question mark must be the secret and nothing else, with the same case.\n"
	"It proves the whole connection; the cookies of a login prove further ones, so clients that open\n"
	"several, and those that come back, need not send it again.\n"
	".Pp\n"
	"Everybody else gets, whatever path he asks for, the page that everyone gets for a path that does\n"
	"not exist, or, with\n"
	".Cm camouflage_realm ,\n"
	"a question for a name and a password in its name, to which no answer is right.\n"
	"CONNECT is answered 405, or 503 without a cookie.\n"
	"The host sends no security headers then but those of\n"
	".Cm included-http-headers ,\n"
	"where a header such as\n"
	".Li Server: nginx\n"
	"may make it look like the other servers of the place.\n"
	"The KDC proxy and the path of Cisco's phones are hidden as well.\n"
	".Pp\n"
	"Camouflage keeps scanners away and is no second password: the secret stands in the URL, so it is\n"
	"in the history of shells and browsers.\n"
	"It is not logged.\n"
	"Certificates, a request for client certificates and open UDP ports can still be seen.\n"
	"Each virtual host has its own switch and secret; a host that hides is only as well hidden as the\n"
	"others at the same address.\n";

/* Sub-options of the lines auth, enable-auth and acct. */
static const char methods[] =
	".Sh AUTHENTICATION METHODS\n"
	"A method is written\n"
	".Li METHOD[key=value,key=value] .\n"
	"A value with commas stands in single quotes:\n"
	".Li base='dc=example,dc=com' ;\n"
	"two of them inside mean one.\n"
	".Pp\n"
	"Lines of\n"
	".Cm auth\n"
	"may name one method, and beside it\n"
	".Cm certificate\n"
	"and\n"
	".Cm plain\n"
	"with nothing but\n"
	".Cm otp ,\n"
	"in any order; all of them must succeed.\n"
	"One-time passwords are asked for last, in a form of their own, whatever came of the rest: a\n"
	"client does not learn which factor was wrong, the log does.\n"
	"A code is not used up by a login that fails for another reason.\n"
	"User name, groups and settings are those of the other method.\n"
	"Each line of\n"
	".Cm enable-auth\n"
	"is a complete way in of its own, without any second factor.\n"
	".Bl -tag -width Ds\n"
	".It Cm certificate\n"
	"Client certificates, alone or beside another method; see\n"
	".Xr sallyport-certificate 5 .\n"
	".It Cm gssapi\n"
	"Kerberos tickets; see\n"
	".Xr sallyport-gssapi 5 .\n"
	".It Cm ldap\n"
	"Whoever an LDAP directory or Active Directory lets in, with the groups it knows; see\n"
	".Xr sallyport-ldap 5 .\n"
	".It Cm plain\n"
	"Passwords and groups in a file of\n"
	".Xr ocpasswd 8 ,\n"
	"one-time passwords (HOTP and TOTP) in another.\n"
	".Bl -tag -width Ds\n"
	".It Cm passwd No = Ar file\n"
	"The password file.\n"
	".It Cm otp No = Ar file\n"
	"The users file of the OATH toolkit, to which\n"
	".Li ocpasswd -t\n"
	"adds tokens.\n"
	"The server notes there which codes were used, so its folder must be writable.\n"
	"With both on one line, a user whose hash is empty logs in with the code alone; with a line for\n"
	"each he does not log in.\n"
	".El\n"
	".It Cm pam\n"
	"Whoever the modules of a PAM service let in.\n"
	"The password of the first form answers the first question of a module that hides what is\n"
	"typed; every further question is a form of its own, with the texts of the modules above it.\n"
	"Then the account phase runs, and a password that has expired is changed in the same login.\n"
	"Empty passwords are refused whatever the service says.\n"
	"A wrong password ends the login.\n"
	"Groups are the unix groups of the account, the primary one first.\n"
	"As\n"
	".Cm acct ,\n"
	"the account phase decides about every session before its first tunnel.\n"
	".Bl -tag -width Ds\n"
	".It Cm service No = Ar name\n"
	"The file in /etc/pam.d, of which the types auth, account and password are used.\n"
	"For the accounts of the machine its lines are\n"
	".Ql @include common-auth ,\n"
	".Ql @include common-account\n"
	"and\n"
	".Ql @include common-password .\n"
	"Default: ocserv.\n"
	".It Cm gid-min No = Ar number\n"
	"Groups with a lower number are not offered by\n"
	".Cm auto-select-group .\n"
	"Default: 0.\n"
	".El\n"
	".It Cm oidc\n"
	"Bearer tokens that an OpenID provider has signed; see\n"
	".Xr sallyport-oidc 5 .\n"
	".It Cm radius\n"
	"Users and passwords, challenges, groups, settings and accounting of RADIUS servers:\n"
	".Xr sallyport-radius 5 .\n"
	".Bl -tag -width Ds\n"
	".It Cm config No = Ar file\n"
	"The client file of radcli.\n"
	"Required.\n"
	".It Cm groupconfig No = Ar flag\n"
	"Takes the users' settings from the servers' answers and not from files.\n"
	"Default: false.\n"
	".It Cm nas-identifier No = Ar text\n"
	"Sent as NAS-Identifier.\n"
	".It Cm group-separator No = Cm semicolon | comma\n"
	"What stands between several groups of one Class attribute.\n"
	"Default: semicolon.\n"
	".El\n"
	".El\n";

void conf_man(FILE *out)
{
	fputs(prologue, out);
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const char *title = conf_section_title((enum conf_opt)i);

		if (title && i)
			fputs(".El\n", out);
		if (title)
			fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", title);
		man_option(&conf_options[i], out);
	}
	fputs(".El\n.Ss Old names\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < conf_n_aliases; i++)
		fprintf(out, ".It Cm %s\n%s\n", conf_aliases[i].name, conf_aliases[i].doc);
	fputs(".El\n", out);
	fputs(methods, out);
	fputs(proxies, out);
	fputs(camouflage, out);
	fputs(".Sh SEE ALSO\n.Xr occtl 8 ,\n.Xr ocpasswd 8 ,\n.Xr sallyport-certificate 5 ,\n"
	      ".Xr sallyport-gssapi 5 ,\n"
	      ".Xr sallyport-keys 5 ,\n"
	      ".Xr sallyport-ldap 5 ,\n"
	      ".Xr sallyport-oidc 5 ,\n"
	      ".Xr sallyport-radius 5 ,\n"
	      ".Xr sallyportd 8\n",
	      out);
}
