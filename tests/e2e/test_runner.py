"""The runner of these tests itself: what becomes of those that fail."""
import contextlib
import io
import os

from lib.harness import Run, marks
from lib.server import SANITIZER
from lib.shell import Failure


def passes(_):
    pass


def fails(_):
    raise Failure("as always")


def report(_):
    raise Failure(SANITIZER + "the log")


def once(t, name, error=Failure("too late")):
    """A test that fails the first time, with ERROR."""
    path = os.path.join(t.dir, name)

    def test(_):
        if not os.path.exists(path):
            open(path, "w").close()
            raise error
    return test


def outcome(t, tests, jobs=2):
    """What a run of TESTS says and counts: (passed, failed, those that passed alone, all that it printed)."""
    run, said = Run(t.tools, jobs), io.StringIO()
    with contextlib.redirect_stdout(said):
        good = run.execute(tests)
    t.equal(good, run.failed == 0, "verdict")
    return run.passed, run.failed, run.passed_alone, said.getvalue()


def test_second_try(t):
    """Who failed beside others and passes alone is named with its first failure, and does not fail the run."""
    passed, failed, alone, said = outcome(t, [("good", passes), ("late", once(t, "1")), ("odd", once(t, "2", KeyError("x")))])
    t.equal((passed, failed), (3, 0), "passed and failed\n" + said)
    t.equal([name for name, _ in alone], ["late", "odd"], "passed alone")
    t.expect(alone[0][1].endswith(": too late") and alone[1][1] == "KeyError: 'x'", "why they failed", alone)
    for text in ("FAIL late", ": too late", "ok   late", "FAIL odd", "Traceback"):
        t.expect(text in said, text + " is not told", said)


@marks(seconds=120)
def test_no_second_try(t):
    """Who fails alone fails the run, as do more than three, a sanitizer's report, and one that had nothing beside it."""
    for what, tests, jobs, wanted in (
            ("fails twice", [("good", passes), ("bad", fails)], 2, (1, 1, 0)),
            ("four", [("late%d" % n, once(t, "four%d" % n)) for n in range(4)], 2, (0, 4, 0)),
            ("report", [("bad", report), ("late", once(t, "beside"))], 2, (1, 1, 1)),
            ("one at a time", [("late", once(t, "single"))], 1, (0, 1, 0)),
            ("marked alone", [("late", marks(alone=True)(once(t, "marked")))], 2, (0, 1, 0))):
        passed, failed, alone, said = outcome(t, tests, jobs)
        t.equal((passed, failed, len(alone)), wanted, what + "\n" + said)
