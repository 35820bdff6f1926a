"""A directory server for a test: Debian's slapd with a configuration and a database of its own.

	dc=example,dc=com
	  cn=vpn            the service that looks people up (binddn)
	  ou=people         what person() adds
	  ou=groups         what group() adds; memberOf and its way back are kept by overlays
"""
import os

from .net import SERVER4, SERVER6
from .server import PASSWORD
from .service import Service
from .shell import sh

BASE = "dc=example,dc=com"
PEOPLE, GROUPS = "ou=people," + BASE, "ou=groups," + BASE
SERVICE, SERVICE_PASSWORD = "cn=vpn," + BASE, "service secret"

CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.99.1 NAME 'testUser' SUP top AUXILIARY MAY userAccountControl )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
moduleload argon2
pidfile {dir}/pid
argsfile {dir}/args
loglevel stats
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
{more}
database mdb
suffix {base}
rootdn cn=admin,{base}
rootpw {secret}
directory {dir}/db
maxsize 10485760
dbnosync
{access}
overlay memberof
overlay refint
refint_attributes member
overlay ppolicy
ppolicy_default "cn=policy,{base}"
{ppolicy}
"""
# The service reads; others may only try passwords.
ACCESS = """access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service}" read by * none"""
START = """dn: {base}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: {people}
objectClass: organizationalUnit
ou: people

dn: {groups}
objectClass: organizationalUnit
ou: groups

dn: cn=policy,{base}
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword

dn: {service}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: vpn
userPassword: {password}
"""


class Slapd(Service):
    """One server in the test's server namespace, on the ports 636 and 389 + 1000 times its number."""

    NAME = "slapd"

    def __init__(self, test, access=ACCESS, more="", ppolicy="", cert=None, key=None, start=True):
        super().__init__(test, "slapd")
        self.number = len([s for s in test.closables if isinstance(s, Slapd)])
        os.makedirs(self.dir + "/db")
        self.tls_port, self.port = 636 + 1000 * self.number, 389 + 1000 * self.number
        self.ldaps = "ldaps://%s:%d" % (SERVER4, self.tls_port)
        self.ldap = "ldap://%s:%d" % (SERVER4, self.port)
        self.ldaps6 = "ldaps://[%s]:%d" % (SERVER6, self.tls_port)
        self.ldapi = "ldapi://" + (self.dir + "/sock").replace("/", "%2f")
        self.admin_password = "admin secret"
        self.password_file = self.dir + "/bindpw"
        self._write("conf", CONF.format(
            dir=self.dir, base=BASE, secret='"%s"' % self.admin_password, more=more, ppolicy=ppolicy,
            cert=cert or test.pki.cert, key=key or test.pki.key, access=access.format(service=SERVICE)))
        self._write("bindpw", SERVICE_PASSWORD + "\n")
        test.closables.append(self)
        self.start()
        self.add(START.format(base=BASE, people=PEOPLE, groups=GROUPS, service=SERVICE, password=SERVICE_PASSWORD))
        if not start:
            self.stop()

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w") as out:
            out.write(text)
        os.chmod(out.name, 0o600)

    def start(self):
        self.launch("slapd", "-d", "stats", "-f", self.dir + "/conf", "-h",
                    "%s %s %s %s" % (self.ldaps, self.ldaps6, self.ldap, self.ldapi))
        return self.wait_serving(lambda: sh("ldapsearch", "-x", "-H", self.ldapi, "-b", "", "-s", "base",
                                            check=False).returncode == 0)

    # Contents
    def modify(self, ldif, *options):
        sh("ldapmodify", "-x", "-H", self.ldapi, "-D", "cn=admin," + BASE, "-w", self.admin_password, *options,
           stdin=ldif)

    def add(self, ldif):
        self.modify(ldif, "-a")

    def set(self, dn, attribute, *values):
        """Gives DN's ATTRIBUTE these values, or none."""
        lines = ["dn: " + dn, "changetype: modify", "replace: " + attribute]
        self.modify("\n".join(lines + ["%s: %s" % (attribute, value) for value in values]) + "\n")

    def delete(self, dn):
        self.modify("dn: %s\nchangetype: delete\n" % dn)

    def person(self, uid, password=PASSWORD, ou=PEOPLE, mail=None, more=()):
        """Adds a person; gives the DN."""
        dn = "uid=%s,%s" % (uid, ou)
        lines = ["dn: " + dn, "objectClass: inetOrgPerson", "objectClass: testUser", "uid: " + uid, "cn: " + uid,
                 "sn: " + uid, "userPassword: " + password] + (["mail: " + mail] if mail else []) + list(more)
        self.add("\n".join(lines) + "\n")
        return dn

    def group(self, name, *members, ou=GROUPS):
        """Adds a group of these DNs; gives its own."""
        dn = "cn=%s,%s" % (name, ou)
        self.add("\n".join(["dn: " + dn, "objectClass: groupOfNames", "cn: " + name] +
                           ["member: " + member for member in members]) + "\n")
        return dn

    # Configuration of the server under test
    def line(self, uri=None, base=PEOPLE, **options):
        """The auth line for this directory; OPTIONS with underscores for dashes, None takes one away."""
        values = {"uri": uri or self.ldaps, "base": base, "ca": self.test.pki.ca_cert, "binddn": SERVICE,
                  "bindpw-file": self.password_file}
        values.update((key.replace("_", "-"), value) for key, value in options.items())
        return '"ldap[%s]"' % ",".join("%s='%s'" % (key, str(value).replace("'", "''"))
                                       for key, value in values.items() if value is not None)


def hashed(password, scheme="{ARGON2}", load="argon2 m=32768 t=8 p=1"):
    """PASSWORD as an entry holds it: a hash that takes its time."""
    return sh("slappasswd", "-o", "module-path=/usr/lib/ldap", "-o", "module-load=" + load, "-h", scheme,
              "-s", password).stdout.strip()
