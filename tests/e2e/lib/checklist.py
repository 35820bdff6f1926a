"""Which tests check which numbers of compat-checklist.md and of the conformance list in protocol.md (its section 11).

A test says so in its docstring, a case of the unit tests in the comment above it: "Checklist 40, 42 to 44, protocol 7: ...".
Numbers with a dot or a section sign are sections and no statements.
"""
import os
import re

LISTS = (("checklist", "compat-checklist.md", 214), ("protocol", "protocol.md, section 11", 100))
NOT_HERE = {("checklist", 54): "(liboath is required to build)"}
ITEM = r"(?:§ ?\d+|\d+)(?:\.\d+)*(?: to \d+)?"
NAMED = re.compile(r"\b(?:compat-)?(checklist|protocol)(?:\.md)? (%s(?:(?:,| and|, and) %s)*)" % (ITEM, ITEM), re.I)


def numbers(text, kind):
    """The numbers of the list KIND which TEXT names."""
    found = set()
    for name, items in NAMED.findall(" ".join(text.split())):
        if name.lower() != kind:
            continue
        for item in re.findall(ITEM, items):
            if "." not in item and "§" not in item:
                ends = [int(end) for end in item.split(" to ")]
                found.update(range(ends[0], ends[-1] + 1))
    return found


def unit_tests(folder):
    """(name, comment) of every comment in the unit tests' files that can name numbers."""
    for file in sorted(os.listdir(folder)):
        if re.match(r"test_\w+\.c$", file):
            with open(os.path.join(folder, file)) as source:
                for comment in re.findall(r"/\*.*?\*/", source.read(), re.S):
                    yield "unit/" + file[5:-2], comment.replace("\n *", "\n")


def print_lists(tests, units):
    """For each number its tests, then the numbers that have none."""
    said = [(name, function.__doc__ or "") for name, function in tests] + list(unit_tests(units))
    for kind, title, count in LISTS:
        by_number = {number: [NOT_HERE[kind, number]] if (kind, number) in NOT_HERE else [] for number in range(1, count + 1)}
        for name, text in said:
            for number in numbers(text, kind):
                names = by_number.setdefault(number, [])
                if name not in names:
                    names.append(name)
        print("%s:" % title)
        for number in sorted(by_number):
            if by_number[number]:
                print("%5d  %s" % (number, ", ".join(by_number[number])))
        missing = ["%d" % number for number in by_number if not by_number[number]]
        print("without a test: %s\n" % (", ".join(missing) or "none"))
