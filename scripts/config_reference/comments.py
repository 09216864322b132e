# SPDX-License-Identifier: Apache-2.0
"""How a comment is taken apart: meaning, default, range."""
import math
import re

RANGE = re.compile(
    r"(?:each )?(?:(>=|>|<=|<) ([\d.e+-]+)|([\[(])([\d.e+-]+), ([\d.e+-]+)([\])])|([\d.]+) to ([\d.]+))"
)
CHOICE = re.compile(r"only [\d.]+|[\d.]+ or [\w.]+")


def clauses(text):
    """[(clause, separator behind it)]: parted by "; " and ". ", and at line ends, but not inside "..." or (...)."""
    found, start, depth, quoted = [], 0, 0, False
    for at, letter in enumerate(text):
        if letter == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        depth = max(0, depth + {"(": 1, ")": -1}.get(letter, 0))
        behind, before = text[at + 1 : at + 2], text[:at]
        part = letter in ";." and behind in (" ", "\n", "") and not before.endswith((" ", ".", "et al"))
        ends = letter == "\n" or part
        if ends and not quoted and not (depth and letter != "\n"):
            found.append((text[start:at].strip(" "), text[at : at + 1]))
            start, depth = at + 1, 0
    if text[start:].strip():
        found.append((text[start:].strip(" "), ""))
    return found


def take_apart(comment):
    """(meaning, default, range) of a comment."""
    rest, defaults, ranges = [], [], []
    for clause, separator in clauses(comment):
        required = re.match(r"(required)(?:: (.*))?$", clause, re.S)
        if clause.startswith("default:"):
            defaults.append(clause[len("default:") :].strip())
        elif required:
            defaults.append("required")
            if required[2]:
                rest.append((required[2], separator))
        elif clause.startswith(("required ", "required, ")):
            defaults.append(clause)
        elif RANGE.fullmatch(clause) or CHOICE.fullmatch(clause):
            ranges.append(clause)
            continue
        else:
            rest.append((clause, separator))
    text = ""
    for clause, separator in rest:
        text += clause + (separator if separator in ("\n", "") else separator + " ")
    return text.strip().strip(";").strip(), "; ".join(defaults), "; ".join(ranges)


def interval(text):
    """(low, high, open below, open above) of a clause that is a range."""
    match = RANGE.fullmatch(text)
    if match[1]:
        limit = float(match[2])
        below = match[1][0] == "<"
        return (-math.inf if below else limit, limit if below else math.inf, match[1] == ">", match[1] == "<")
    if match[3]:
        return float(match[4]), float(match[5]), match[3] == "(", match[6] == ")"
    return float(match[7]), float(match[8]), False, False


def number(value):
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def show(low, high, open_below, open_above):
    if high == math.inf:
        return f"{'>' if open_below else '≥'} {number(low)}"
    if not open_below and not open_above:
        return f"{number(low)} to {number(high)}"
    return f"{'(' if open_below else '['}{number(low)}, {number(high)}{')' if open_above else ']'}"


def contradicts(stated, checked):
    """A comment may leave a large upper limit out, nothing else."""
    if stated[1] == math.inf and checked[1] > 1:
        return (stated[0], stated[2]) != (checked[0], checked[2])
    return stated != checked
