"""Medians, ratios, the table, the plot."""
import os
import statistics
import subprocess
import tempfile

# Most (or, with True, least) that the ratio to that may be.
TARGETS = {
    "data.dtls.down.cpu_s_per_GB": (0.38, False), "data.dtls.up.cpu_s_per_GB": (0.60, False),
    "data.tls.down.cpu_s_per_GB": (0.40, False), "data.tls.up.cpu_s_per_GB": (0.55, False),
    "load.dtls.down.cpu_s_per_GB": (0.18, False), "load.dtls.up.cpu_s_per_GB": (0.18, False),
    "load.tls.down.cpu_s_per_GB": (0.25, False), "load.tls.up.cpu_s_per_GB": (0.25, False),
    "udp.64.down.packets_per_cpu_s": (2.0, True), "udp.64.up.packets_per_cpu_s": (2.0, True),
}
LIMIT_TARGET = 1.3
LIMIT_MODES = {"dtls": ("C", "D"), "tls": ("E2", "F")}


def medians(rounds):
    """{figure: median} over ROUNDS, a list of {figure: value}; texts keep their first value."""
    out = {}
    for key in dict.fromkeys(key for one in rounds for key in one):
        values = [one[key] for one in rounds if key in one]
        out[key] = values[0] if isinstance(values[0], str) else statistics.median(values)
    return out


class Row:
    """One line of the table: our figure, another one, their ratio and what that may be."""

    def __init__(self, name, ours, other_name, other, target):
        self.name, self.ours, self.other_name, self.other = name, ours, other_name, other
        self.ratio = ours / other if other else None
        self.target, self.at_least = target if target else (None, False)

    def is_met(self):
        if self.target is None or self.ratio is None:
            return None
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def cells(self):
        """As texts: name, ours, other, ratio, target."""
        number = lambda value: "–" if value is None else "%.3f" % value if value < 100 else "%.0f" % value
        target = "" if self.target is None or self.ratio is None else "%s %.2f%s" % ("≥" if self.at_least else "≤", self.target,
                                                             "" if self.is_met() in (True, None) else ", missed")
        return (self.name, number(self.ours), number(self.other) if self.other_name else "", self.other_name,
                "%.2f" % self.ratio if self.ratio is not None else "", target)


def rows(median):
    """The table of MEDIAN, {subject: {figure: median}}; subjects: ours, ocserv, limit."""
    ours, theirs, limit = (median.get(name, {}) for name in ("ours", "ocserv", "limit"))
    out = []
    for name, value in ours.items():
        if isinstance(value, str) or name.endswith(".errors"):
            continue
        same = name.replace("load.", "data.", 1) if name.startswith("load.") else name
        label = "ocserv with openconnect" if same != name else "ocserv"
        out.append(Row(name, value, label if same in theirs else "", theirs.get(same), TARGETS.get(name)))
    for channel, modes in LIMIT_MODES.items():
        for mode in modes:
            for direction in ("down", "up"):
                name = "load.%s.%s.cpu_s_per_GB" % (channel, direction)
                of_limit = limit.get("limit.%s.%s.cpu_s_per_GB" % (mode, direction))
                if name in ours and of_limit:
                    out.append(Row(name, ours[name], "limit " + mode, of_limit, (LIMIT_TARGET, False)))
    return out


HEAD = ("figure", "ours", "other", "", "ratio", "target")


def text_table(table):
    lines = [HEAD] + [row.cells() for row in table]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    numbers = (1, 2, 4)
    return "\n".join("  ".join(cell.rjust(widths[i]) if i in numbers else cell.ljust(widths[i])
                               for i, cell in enumerate(line)).rstrip() for line in lines)


def markdown_table(table):
    lines = ["| figure | ours | compared with | its figure | ratio | target |", "| --- | ---: | --- | ---: | ---: | --- |"]
    for row in table:
        name, mine, other, label, ratio, target = row.cells()
        lines.append("| %s | %s | %s | %s | %s | %s |" % (name, mine, label, other, ratio, target))
    return "\n".join(lines)


# The plot: three panels of bars, each (title, unit, groups, bars of a group).
def panels(median):
    ours, theirs, limit = (median.get(name, {}) for name in ("ours", "ocserv", "limit"))
    ways = [(channel, direction) for channel in LIMIT_MODES for direction in ("down", "up")]
    cpu = "%s.%s.%s.cpu_s_per_GB"
    yield ("Server CPU per GB of TCP, less is better", "seconds", ["%s %s" % (c.upper(), d) for c, d in ways], {
        "ocserv, openconnect": [theirs.get(cpu % (("data",) + way)) for way in ways],
        "ours, openconnect": [ours.get(cpu % (("data",) + way)) for way in ways],
        "ours, vpnload": [ours.get(cpu % (("load",) + way)) for way in ways],
        "limit (D, F)": [limit.get(cpu % ("limit", LIMIT_MODES[c][1], d)) for c, d in ways]})
    sizes = sorted({int(name.split(".")[1]) for name in ours if name.startswith("udp.")})
    kinds = [(size, direction) for size in sizes for direction in ("down", "up")]
    rate = "udp.%d.%s.packets_per_cpu_s"
    yield ("UDP packets per second of server CPU, more is better", "thousands", ["%d B %s" % kind for kind in kinds], {
        name: [figures.get(rate % kind, 0) / 1000 for kind in kinds] for name, figures in (("ocserv", theirs), ("ours", ours))})
    states = [(beside, part) for beside in ("idle", "down", "up", "up_short_queue") for part in ("p50", "p99")]
    yield ("Ping beside a TCP transfer, less is better (*: short queue in the client)", "ms", ["%s %s" % (b.replace("_short_queue", "*"), p) for b, p in states], {
        name: [figures.get("latency.%s.%s_ms" % state) for state in states]
        for name, figures in (("ocserv", theirs), ("ours", ours))})


def gnuplot_panel(number, title, unit, groups, bars):
    """The gnuplot commands of one panel."""
    block = "$panel%d << END\n" % number
    for i, group in enumerate(groups):
        block += '"%s" %s\n' % (group, " ".join("%.6g" % (values[i] or 0) for values in bars.values()))
    plots = ", ".join('$panel%d using %d:xtic(1) title "%s"' % (number, i + 2, name) for i, name in enumerate(bars))
    return block + 'END\nset title "%s"\nset ylabel "%s"\nplot %s\n' % (title, unit, plots)


def plot(median, path):
    """Draws the figures as SVG."""
    drawn = [(title, unit, groups, {name: values for name, values in bars.items() if any(values)})
             for title, unit, groups, bars in panels(median)]
    drawn = [panel for panel in drawn if panel[3]]
    script = 'set terminal svg size 1000,%d font "sans,13" background "white"\nset output "%s"\n' % (300 * len(drawn), path)
    script += "set style data histogram\nset style histogram clustered gap 1\nset style fill solid 0.8\nset yrange [0:]\n"
    script += "set grid ytics\nset key outside right top\nset boxwidth 0.9\nset multiplot layout %d,1\n" % len(drawn)
    script += "".join(gnuplot_panel(i, *panel) for i, panel in enumerate(drawn)) + "unset multiplot\n"
    with tempfile.NamedTemporaryFile("w", suffix=".gp") as file:
        file.write(script)
        file.flush()
        subprocess.run(["gnuplot", file.name], check=True)


BEGIN, END = "<!-- figures: written by the benchmark -->", "<!-- end of figures -->"


def write_document(path, text):
    """Replaces what stands between the marks in the document at PATH."""
    with open(path) as file:
        before, _, rest = file.read().partition(BEGIN)
    _, _, after = rest.partition(END)
    new = path + ".new"
    with open(new, "w") as file:
        file.write(before + BEGIN + "\n\n" + text + "\n\n" + END + after)
    os.replace(new, path)
