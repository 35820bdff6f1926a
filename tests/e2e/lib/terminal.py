"""Programs on a terminal of a given size, and their output as it comes."""
import fcntl
import os
import pty
import re
import select
import struct
import termios

from .shell import Failure, wait_for


class Reader:
    """Text from a descriptor, waited for."""

    def __init__(self, fd):
        self.fd, self.text = fd, b""

    def _more(self, seconds):
        """Reads once; False at the end (a terminal that nobody has open any more gives an error)."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data
        return bool(data)

    def until(self, pattern, seconds=5):
        """Waits until PATTERN is in the text; gives the match."""
        def found():
            self._more(0.1)
            return re.search(pattern, self.text)
        try:
            return wait_for(repr(pattern), found, seconds)
        except Failure as error:
            raise Failure("%s in:\n%s" % (error, self.text.decode(errors="replace"))) from None

    def to_end(self, seconds=10):
        """The whole text, once the writer has ended."""
        wait_for("the end of the output", lambda: not self._more(0.2), seconds)
        return self.text.decode(errors="replace").replace("\r\n", "\n")


class Terminal(Reader):
    """COMMAND on a terminal with COLUMNS."""

    def __init__(self, command, columns=80, environment=None):
        self.pid, fd = pty.fork()
        if self.pid == 0:
            # Only now is standard output the terminal whose size counts.
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.environ.update({"TERM": "xterm", "LC_ALL": "C.UTF-8"}, **environment or {})
            os.execv(command[0], [str(word) for word in command])
        super().__init__(fd)

    def type_line(self, keys, answer):
        """KEYS and RETURN once the prompt is there; ANSWER must come."""
        self.until(rb"> \Z")
        self.text = b""
        os.write(self.fd, keys + b"\r")
        return self.until(answer)

    def wait(self, seconds=5):
        """The status it ends with."""
        status = wait_for("the program to end", lambda: (lambda r: r[0] and [r[1]])(os.waitpid(self.pid, os.WNOHANG)),
                          seconds)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status[0])
