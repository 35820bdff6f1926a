"""A worker in hostile hands: what it can say to main with its own descriptors."""
import ctypes
import os
import signal
import socket

from lib.harness import marks
from lib.shell import wait_for

from test_log import PLAIN, lines, one

SYS_PIDFD_GETFD = 438
MAIN_FD = 4  # of a worker, as the zygote places it
LOG, LEVEL_WARNING = 30, 1


def channel_of(t, pid):
    """The worker's end of its channel to main."""
    holder = os.pidfd_open(pid)
    try:
        fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_PIDFD_GETFD, holder, MAIN_FD, 0)
        t.expect(fd >= 0, "pidfd_getfd: " + os.strerror(ctypes.get_errno()))
    finally:
        os.close(holder)
    return socket.socket(fileno=fd)


def field(number, value):
    """One field of a protobuf message: a number, or bytes."""
    def varint(n):
        return bytes([n & 127 | 128]) + varint(n >> 7) if n > 127 else bytes([n])
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def log_event(event, **pairs):
    """ToMain with a WorkerLog."""
    body = field(1, LEVEL_WARNING) + field(2, event.encode())
    for key, value in pairs.items():
        body += field(3, field(1, key.encode()) + field(2, value.encode()))
    return field(LOG, body)


def test_log_of_a_hijacked_worker(t):
    """Config 8.2 log-format: a worker's event is about its own connection, whatever fields it sends."""
    server = t.server(PLAIN)
    client = t.client().wait()
    user = server.user()
    main = channel_of(t, user["ID"])
    main.send(log_event("hijacked", what="nothing"))
    said = one(t, server, "hijacked")
    t.equal((said["user"], said["ip"], said["process"], said["what"]), ("test", "198.18.0.2", "worker", "nothing"), "event")
    main.send(log_event("hijacked-too", ip="203.0.113.1", user="root"))
    wait_for("its end", lambda: user["ID"] not in server.roles()["workers"], 5 * t.slow)
    one(t, server, "worker-crashed", process="zygote", about_pid=user["ID"])
    t.equal([each for each in lines(server) if "203.0.113.1" in each.values()], [], "events about others")
    main.close()
    client.kill()


@marks(sanitizers=False)
def test_deserter(t):
    """Design 1.2: a worker that closes its channel and goes on has no device any more, nor escapes its session's rules."""
    server = t.server({"restrict-user-to-ports": "tcp(443)"})
    client = t.client().wait()
    pid = server.user()["ID"]
    client.freeze()  # it would come again
    main = channel_of(t, pid)
    os.kill(pid, signal.SIGSTOP)  # it would notice, and end
    main.shutdown(socket.SHUT_RDWR)
    main.close()
    wait_for("its end", lambda: pid not in server.roles()["workers"], 5 * t.slow)
    wait_for("its device to go", lambda: not server.devices(), 5 * t.slow)
    client.kill()
