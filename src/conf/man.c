/* man.c - the manual page sallyport.conf(5), made from the table and the chapters. */
#include <string.h>

#include "conf/chapters.h"
#include "conf/option.h"

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

/* One entry of the list: the sentence, then what the columns of the table say. */
static void man_option(const struct conf_option *opt, FILE *out)
{
	fprintf(out, ".It Cm %s No = Ar %s\n", opt->name, opt->type->name);
	put_mdoc(opt->doc, out);
	fputs("\n.br\n", out);
	if (opt->def && *opt->def) {
		fputs("Default: ", out);
		put_mdoc(opt->def, out);
		fputs(".\n", out);
	}
	fprintf(out, "Scope: %s.\nReload: %s.\n", conf_scope_name(opt->scope),
		opt->flags & CONF_RELOAD ? "yes" : "no, takes a restart");
}

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

/* "a, b and c": the options that group and user files may have. */
static void put_user_options(FILE *out)
{
	const char *before = "";

	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_option *opt = &conf_options[i];

		if (opt->scope != CONF_SCOPE_USER && opt->scope != CONF_SCOPE_PERUSER)
			continue;
		fprintf(out, "%s.Cm %s", before, opt->name);
		before = " ,\n";
	}
	fputs(" .\n", out);
}

void conf_man(FILE *out)
{
	fputs(conf_chapter_head, out);
	fputs(conf_chapter_grammar, out);
	fputs(conf_chapter_hosts, out);
	fputs(conf_chapter_users, out);
	put_user_options(out);
	fputs(conf_chapter_reload, out);
	fputs(".Sh OPTIONS\n", out);
	for (size_t i = 0; i < CONF_OPT_COUNT; i++) {
		const struct conf_section *section = conf_section_at((enum conf_opt)i);

		if (section && i)
			fputs(".El\n", out);
		if (section)
			fprintf(out, ".Ss %s\n%s%s.Bl -tag -width Ds\n", section->title,
				section->intro, *section->intro ? "\n" : "");
		man_option(&conf_options[i], out);
	}
	fputs(".El\n.Ss Old names\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < conf_n_aliases; i++)
		fprintf(out, ".It Cm %s\n%s\n", conf_aliases[i].name, conf_aliases[i].doc);
	fputs(".El\n", out);
	fputs(methods, out);
	fputs(proxies, out);
	fputs(camouflage, out);
	fputs(conf_chapter_files, out);
	fputs(".Sh SEE ALSO\n.Xr occtl 8 ,\n.Xr ocpasswd 8 ,\n.Xr sallyport-certificate 5 ,\n"
	      ".Xr sallyport-gssapi 5 ,\n"
	      ".Xr sallyport-keys 5 ,\n"
	      ".Xr sallyport-ldap 5 ,\n"
	      ".Xr sallyport-oidc 5 ,\n"
	      ".Xr sallyport-radius 5 ,\n"
	      ".Xr sallyport-events 7 ,\n"
	      ".Xr sallyportd 8\n",
	      out);
}
