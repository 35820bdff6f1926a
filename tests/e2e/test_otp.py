"""One-time passwords: with a password, alone, enrolled by ocpasswd (checklist 49 to 54)."""
import os
import re
import signal
import threading
import time

from lib.server import PASSWORD
from lib.shell import sh

SECRET = "3132333435363738393031323334353637383930"


def otp_server(t, lines, users=None, passwd=True, conf=None, **options):
    server = t.server(start=False, users=users if users is not None else {"test": "staff"}, **options)
    server.write_file("otp", lines, 0o600)
    files = ["otp=%s/otp" % server.dir] + (["passwd=%s/passwd" % server.dir] if passwd else [])
    server.write_conf(auth='"plain[%s]"' % ",".join(files), **(conf or {}))
    server.start()
    return server


def code(counter=None, digits=6, secret=SECRET, step=30, when=None):
    """The code an authenticator would show."""
    if counter is not None:
        return sh("oathtool", "-d", str(digits), "-c", str(counter), secret).stdout.strip()
    return sh("oathtool", "--totp", "-d", str(digits), "-s", str(step), "-N",
              time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when or time.time())), secret).stdout.strip()


def steps(web, user, password, otp):
    """Both rounds; gives both answers."""
    web.init()
    first = web.reply([("username", user), ("password", password)])
    return first, web.reply([("secondary_password", otp)])


def test_password_and_code(t):
    """Checklist 49, 52, protocol 35: openconnect with the password and the code; the file says that it was used."""
    server = otp_server(t, "# tokens\nHOTP\ttest\t-\t%s\nHOTP\tother\t-\t00\n" % SECRET)
    t.client(arguments=["--form-entry", "main:secondary_password=" + code(0)]).wait()
    text = open(server.dir + "/otp").read()
    t.expect(re.fullmatch(r"# tokens\nHOTP\ttest\t-\t%s\t0\t%s\t\S+\nHOTP\tother\t-\t00\n" % (SECRET, code(0)), text),
             "the file after the login", text)
    t.equal(server.users()[0]["Username"], "test", "user")
    t.equal(steps(t.web(), "test", PASSWORD, code(0))[1].status, 401, "status of the same code again")
    server.wait_said("(one-time password used before)")
    t.expect(steps(t.web(), "test", PASSWORD, code(1))[1].success, "the next code")


def test_openconnect_makes_the_codes(t):
    """Openconnect's own token generator answers the second form."""
    otp_server(t, "HOTP/T30/6 test - %s\n" % SECRET)
    t.client(arguments=["--token-mode=totp", "--token-secret=0x" + SECRET]).wait()


def test_code_is_used_once(t):
    """Checklist 52: a replay fails, so does the code before; the next one works."""
    server = otp_server(t, "HOTP/T30/8 test - %s\n" % SECRET)
    now = time.time()
    first, second = steps(t.web(), "test", PASSWORD, code(digits=8, when=now))
    t.expect("Please enter your OTP password." in first.body and 'name="secondary_password"' in first.body,
             "the second form", first.body)
    t.expect(second.success, "refused", second.head)
    for when in (now, now - 30):
        answer = steps(t.web(), "test", PASSWORD, code(digits=8, when=when))[1]
        t.equal(answer.status, 401, "status of a replay")
    server.wait_said("plain-auth: error authenticating user 'test' (one-time password used before)")
    t.expect(steps(t.web(), "test", PASSWORD, code(digits=8, when=now + 30))[1].success, "the next code")


def test_what_was_wrong_stays_secret(t):
    """Checklist 50: wrong user, password or code: the same forms, the same end; only the log knows."""
    server = otp_server(t, "HOTP test - %s\nHOTP nopass - %s\n" % (SECRET, SECRET), users={"test": None, "notoken": None})
    seen = set()
    for user, password, otp in (("test", PASSWORD, "000000"), ("test", "wrong", code(0)), ("test", "", code(0)),
                                ("nobody", PASSWORD, code(0)), ("nopass", PASSWORD, code(0)),
                                ("notoken", PASSWORD, code(0)), ("test", PASSWORD, "")):
        first, second = steps(t.web(), user, password, otp)
        t.equal(second.status, 401, "status for %s %s" % (user, otp))
        seen.add((re.sub(r"\d{4,}", "", first.body), re.sub(r"(?m)^(Date|Set-Cookie):.*$", "", second.head), second.body))
    t.equal(len(seen), 1, "what clients see: %s" % seen)
    for reason in ("(wrong one-time password)", "(wrong password, right one-time password)",
                   "(wrong password and one-time password)", "(no one-time password token)",
                   "plain-auth: OTP auth failed for 'test': wrong one-time password",
                   "plain-auth: OTP auth failed for 'notoken': no one-time password token"):
        server.wait_said(reason)
    # A wrong password has not used the code up.
    t.expect(steps(t.web(), "test", PASSWORD, code(0))[1].success, "the code still works")


def test_user_without_password(t):
    """Checklist 51: an empty hash means the code alone, in the first form or the second."""
    server = otp_server(t, "HOTP nohash - %s\n" % SECRET, users={"test": None})
    with open(server.dir + "/passwd", "a") as passwd:
        passwd.write("nohash:staff:\n")
    web = t.web()
    web.init()
    answer = web.reply([("username", "nohash"), ("password", code(0))])
    t.expect(answer.success, "the code in the first form", answer.head)
    first, second = steps(t.web(), "nohash", "", code(1))
    t.expect("OTP password" in first.body and second.success, "the code in the second form", second.head)
    t.equal(steps(t.web(), "nohash", "", "000000")[1].status, 401, "a wrong code")
    t.client(user="nohash", password=code(2)).wait()


def test_codes_alone(t):
    """Only an OTP file: the code is everything, and a user who lost his token cannot come back."""
    server = otp_server(t, "HOTP/T30 test - %s\n" % SECRET, passwd=False)
    client = t.client(password=code()).wait()
    t.equal(server.users()[0]["Username"], "test", "user")
    t.equal(steps(t.web(), "test", "", "123")[1].status, 401, "a wrong code")
    server.write_file("otp", "", 0o600)
    client.process.send_signal(signal.SIGUSR2)  # openconnect reconnects with its cookie
    t.expect(server.wait_log("the user was locked or removed"), "the cookie of a removed user")


def test_parallel_logins(t):
    """Every user's code is used once and no update of the file gets lost."""
    users = ["user%d" % i for i in range(12)]
    server = otp_server(t, "".join("HOTP %s - %s\n" % (user, SECRET) for user in users), users={}, passwd=False)
    otp, results = code(0), {}

    def log_in(key, user):
        web = t.web()
        web.init()
        results[key] = web.reply([("username", user), ("password", otp)])
        if not results[key].success:
            results[key] = web.reply([("secondary_password", otp)])

    threads = [threading.Thread(target=log_in, args=((user, n), user)) for user in users for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for user in users:
        good = [results[user, n].success for n in range(2)]
        t.equal(sorted(good), [False, True], "logins of %s" % user)
    t.equal(len(re.findall(r"\t0\t%s\t" % otp, open(server.dir + "/otp").read())), 12, "lines written")
    t.equal(sorted(os.listdir(server.dir + "/")).count("otp.new"), 0, "left-over files")


def test_unwritable_file_lets_nobody_in(t):
    """A code that cannot be marked as used is not accepted."""
    server = otp_server(t, "HOTP test - %s\n" % SECRET)
    os.makedirs(server.dir + "/otp.new")
    answer = steps(t.web(), "test", PASSWORD, code(0))[1]
    t.expect(not answer.success, "accepted")
    server.wait_said("otp-file-unwritable")


def test_enrolment(t):
    """ocpasswd --totp: what a QR reader reads from the terminal's code logs in; a new one replaces it; -d removes it."""
    server = otp_server(t, "", users={"test": None})
    out = sh(t.tools.ocpasswd, "-t", server.dir + "/otp", "-i", "Example VPN", "test").stdout
    uri, qr = out.split("\n", 1)
    t.equal(read_qr(t, qr), uri, "what the QR code says")
    secret = re.fullmatch(r"otpauth://totp/Example%20VPN:test\?secret=([A-Z2-7]{32})&issuer=Example%20VPN&algorithm=SHA1"
                          r"&digits=6&period=30", uri).group(1)
    t.equal(os.stat(server.dir + "/otp").st_mode & 0o777, 0o600, "mode")
    otp = sh("oathtool", "--totp", "-b", secret).stdout.strip()
    t.expect(steps(t.web(), "test", PASSWORD, otp)[1].success, "login with the enrolled secret")
    again = sh(t.tools.ocpasswd, "--totp=" + server.dir + "/otp", "test")
    t.expect("not valid any more" in again.stderr, "word about the old secret", again.stderr)
    t.equal(open(server.dir + "/otp").read().count("test"), 1, "tokens of the user")
    sh(t.tools.ocpasswd, "-d", "-t", server.dir + "/otp", "test")
    t.equal(open(server.dir + "/otp").read(), "", "file after the removal")


def test_enrolment_refuses_what_makes_no_sense(t):
    """Options that do not go together, names that would break the file, nobody to remove."""
    server = otp_server(t, "")
    otp = server.dir + "/otp"
    for arguments in (["-t", otp, "-g", "staff", "test"], ["-t", otp, "-l", "test"], ["-i", "x", "test"],
                      ["-t", otp, "-c", "/nonexistent", "test"], ["-t", otp, "a b"], ["-d", "-t", otp, "nobody"],
                      ["-t", otp, "-t", otp, "test"], ["-t", "/nonexistent/otp", "test"]):
        got = sh(t.tools.ocpasswd, *arguments, check=False, stdin="pw\n")
        t.equal(got.returncode, 1, "status of %s" % arguments)
        t.expect(got.stderr.strip(), "no word on %s" % arguments)
    t.equal(open(otp).read(), "", "the file")


def read_qr(t, text):
    """What zbarimg reads from the half blocks of a terminal."""
    dark = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows = []
    for line in text.strip("\n").split("\n"):
        for half in (0, 1):
            rows.append([dark[c][half] for c in line])
    scale = 4
    name = t.dir + "/qr.pbm"
    with open(name, "w") as image:
        image.write("P1\n%d %d\n" % (len(rows[0]) * scale, len(rows) * scale))
        for row in rows:
            image.write(("".join(str(bit) * scale for bit in row) + "\n") * scale)
    return sh("zbarimg", "-q", "--raw", name).stdout.strip()
