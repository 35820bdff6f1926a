"""Unix accounts of a test's own: its servers have an /etc whose account files are copies, the machine's stay as they are.

Single files cannot be mounted over: when the machine's is replaced, as useradd does, the mount goes with it.
"""
import os

COPIES, FIRST_ID = ("passwd", "group", "shadow", "gshadow"), 20000
# For a shell that has its own mounts, as `ip netns exec` makes them.
ENTER = 'mount --bind /etc "$0/old" && mount --bind "$0/etc" /etc && exec "$@"'


class Accounts:
    """Made before the server starts; from then on the server finds what is added and removed."""

    def __init__(self, test):
        self.dir, self.etc, self._id = test.new_dir("accounts"), None, FIRST_ID
        self.etc = os.path.join(self.dir, "etc")
        for name in ("", "etc", "old"):
            os.makedirs(os.path.join(self.dir, name), mode=0o755, exist_ok=True)
            os.chmod(os.path.join(self.dir, name), 0o755)
        for name in os.listdir("/etc"):
            if name not in COPIES:
                os.symlink(os.path.join(self.dir, "old", name), os.path.join(self.etc, name))
        for name in COPIES:
            self._write(name, self._lines(name, "/etc"))
        test.enter_server = ["sh", "-c", ENTER, self.dir]

    def _lines(self, name, folder=None):
        with open(os.path.join(folder or self.etc, name)) as text:
            return text.read().splitlines()

    def _write(self, name, lines):
        path = os.path.join(self.etc, name)
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        os.chmod(path, 0o600 if "shadow" in name else 0o644)

    def add(self, user, *groups):
        """An account whose first of GROUPS is its primary one; groups that are not there yet are made."""
        rows = [line.split(":") for line in self._lines("group")]
        groups = groups or (user,)
        for group in groups:
            if group not in [row[0] for row in rows]:
                rows.append([group, "x", str(self._next_id()), ""])
        for row in rows:
            if row[0] in groups[1:]:
                row[3] = ",".join([member for member in row[3].split(",") if member] + [user])
        number = {row[0]: row[2] for row in rows}[groups[0]]
        self._write("group", [":".join(row) for row in rows])
        self._write("passwd", self._lines("passwd") + [
            "%s:x:%d:%s::/nonexistent:/usr/sbin/nologin" % (user, self._next_id(), number)])

    def remove(self, user):
        self._write("passwd", [line for line in self._lines("passwd") if line.split(":")[0] != user])

    def _next_id(self):
        self._id += 1
        return self._id
