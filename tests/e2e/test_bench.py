"""The benchmark works; what it measures is not looked at here."""
import json
import os
import subprocess

from lib.harness import marks
from lib.shell import sh
from lib.vpnload import build

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIGURES = {
    "data": ["%s.%s.%s" % (channel, way, what) for channel in ("dtls", "tls") for way in ("down", "up")
             for what in ("gbit_s", "cpu_s_per_GB")],
    "udp": ["64.%s.%s" % (way, what) for way in ("down", "up") for what in ("packets_s", "packets_per_cpu_s")],
    "latency": ["%s.%s_ms" % (beside, what) for beside in ("idle", "down", "up", "up_short_queue") for what in ("p50", "p99")],
    "login": ["logins_s"],
    "idle": ["base_MiB", "KiB_per_session"],
}
FIGURES["load"] = FIGURES["data"]


def benchmark(t, *arguments):
    """The figures of a short run of the benchmark."""
    build(t, "vpnload", "udpload")
    out = os.path.join(t.new_dir("bench"), "out")
    run = subprocess.run([SOURCE + "/tests/bench/run", "--builddir", t.tools.builddir, "--quick", "--prefix", t.prefix + "-bench",
                          "--json", out + ".json", *arguments], capture_output=True, text=True)
    t.notes.append(run.stdout + run.stderr)
    t.equal(run.returncode, 0, "status of the benchmark")
    with open(out + ".json") as text:
        return json.load(text)["median"]


def check_figures(t, figures, rows):
    for row in rows:
        for name in FIGURES[row]:
            value = figures.get("%s.%s" % (row, name), 0)
            t.expect(value > 0, "%s.%s is %s" % (row, name, value))


@marks(seconds=120, sanitizers=False)
def test_every_row(t):
    """Issue: `make bench`: every row gives figures, packets pass, and nothing stays behind."""
    plot = os.path.join(t.new_dir("plot"), "plot.svg")
    median = benchmark(t, "--no-ocserv", "--plot", plot)
    check_figures(t, median["ours"], FIGURES)
    with open(plot) as svg:
        t.expect("<svg" in svg.read(1000), "the plot is no SVG")
    t.expect(t.prefix + "-bench" not in sh("ip", "netns", "list").stdout, "namespaces left")


@marks(seconds=90, sanitizers=False)
def test_beside_ocserv(t):
    """Issue: in one run against Debian's ocserv."""
    median = benchmark(t, "--only", "data")
    for name in ("ours", "ocserv"):
        check_figures(t, median[name], ["data"])


def test_missing_parts(t):
    """What is not installed is named by its package, what is not built by its file, before anything is started."""
    def refused(path, *arguments):
        run = subprocess.run(["/usr/bin/python3", SOURCE + "/tests/bench/run", "--quick", *arguments], capture_output=True,
                             text=True, env=dict(os.environ, PATH=path))
        t.equal((run.returncode, run.stderr.count("\n")), (1, 1), "status and lines of " + run.stderr)
        return run.stderr
    said = refused("/nonexistent")
    t.expect("iperf3" in said and "openconnect" in said, "packages", said)
    said = refused(os.environ["PATH"], "--builddir", t.new_dir("empty"))
    t.expect("src/sallyportd" in said and "tests/bench/vpnload" in said, "programs", said)
