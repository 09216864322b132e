# SPDX-License-Identifier: Apache-2.0
"""The tables of the C++ sources: kRanges of config/ranges.cc and kFields of config/foreign_fields.cc."""
import math
import re


def read_ranges(path):
    """{(message, field): (low, high, open below, open above)} of kRanges."""
    text = path.read_text()
    constants = {"kNoLimit": math.inf}
    for name, value in re.findall(r"constexpr double (k\w+) = ([\d.]+(?: << \d+)?);", text):
        left, _, right = value.partition(" << ")
        constants[name] = float(left) * (2 ** int(right) if right else 1)
    ends = {"": (False, False), "kOpenBelow": (True, False), "kOpenAbove": (False, True), "kOpen": (True, True)}
    ranges = {}
    table = re.search(r"kRanges\[\] = \{(.*?)\n\};", text, re.S)[1]
    for message, field, low, high, end in re.findall(
        r'\{"(\w+)", "(\w+)", ([\w.]+), ([\w.]+)(?:, Ends::(\w+))?\}', table
    ):
        low, high = (constants[limit] if limit in constants else float(limit) for limit in (low, high))
        ranges[message, field] = (low, high, *ends[end])
    if len(ranges) != table.count('{"'):
        raise ValueError(f"{path.name}: {table.count('{')} lines in kRanges, {len(ranges)} of them understood")
    return ranges


def read_foreign(path):
    """[(message, field, kind, text)] of kFields."""
    text = path.read_text()
    literals = r'(?:"(?:[^"\\]|\\.)*"\s*)+'

    def value(source):
        return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', source)).replace('\\"', '"')

    constants = {name: value(found) for name, found in re.findall(rf"(k\w+) =\s*({literals});", text)}
    table = re.search(r"kFields\[\] = \{(.*?)\n\};", text, re.S)[1]
    rows = re.findall(rf'\{{"([\w*]+)",\s*"(\w+)",\s*(k\w+),\s*(k\w+|{literals})\}}', table)
    if len(rows) != table.count('{"'):
        raise ValueError(f"{path.name}: {table.count('{')} lines in kFields, {len(rows)} of them understood")
    return [(m, f, kind, constants[last] if last in constants else value(last)) for m, f, kind, last in rows]
