# SPDX-License-Identifier: Apache-2.0
"""The page: chapters, one section per message or enum, and the fields of other systems."""
import re

from .comments import CHOICE, clauses, contradicts, interval, show, take_apart
from .protos import Message, Parser
from .tables import read_foreign, read_ranges

PROTOS = ["feature.proto", "pipeline.proto"]
# (chapter, its first messages); what they hold comes behind them, unless it begins another chapter.
CHAPTERS = [
    ("The whole configuration", ["Pipeline"]),
    ("Columns, labels and splits", ["DataConfig"]),
    ("Features", ["FeatureConfig"]),
    ("Groups and sequences", ["FeatureGroupConfig"]),
    ("Training and evaluation", ["TrainConfig", "EvalConfig"]),
    ("Optimizers and schedules", ["Optimizer"]),
    ("Balancing of the tasks", ["Balancing"]),
    ("Losses", ["LossConfig"]),
    ("Metrics", ["MetricConfig"]),
    ("Towers and layers", ["TaskTower", "MLP"]),
    ("Models", ["ModelConfig"]),
]
# (names of messages, where their fields without a comment have theirs from)
INHERIT = [
    (r"\w*Feature|KvDotProduct", ["IdFeature", "RawFeature"]),
    (r"\w+Optimizer", ["AdamOptimizer", "AdagradOptimizer"]),
    (r"\w+LR", ["ExponentialDecayLR"]),
    (r"\w+", ["MMoE", "SharedBottom", "CGC"]),
]
SCALARS = {"uint32", "uint64", "float", "double", "bool", "string"}
FOREIGN = "Fields of TorchEasyRec and EasyRec that are not here"
INTRODUCTION = """
<!-- Made by `python3 scripts/config_reference.py` from manygate/config: change the comments there, not this page. -->
A configuration is one [Pipeline](#pipeline) in protobuf's text form: `field: value`, `field { ... }`, `#` before a
comment; a field of type "list of" may stand several times, or as `field: [1, 2]`. Default "none": the field is absent,
or a message with the defaults of its fields. "range" holds the values that a number may have; "finite" is any number
but infinity and NaN.

"""


class Reference:
    def __init__(self, config):
        self.messages, self.enums, self.problems = {}, {}, []
        self.headers = {name: Parser(config / name, self.messages, self.enums).header for name in PROTOS}
        self.ranges = read_ranges(config / "ranges.cc")
        self.foreign = read_foreign(config / "foreign_fields.cc")
        self.names = {field.name for message in self.messages.values() for field in message.fields}
        for message, field in self.ranges:
            if field not in [one.name for one in self.messages.get(message, Message("", "", [])).fields]:
                self.problems.append(f"ranges.cc: {message}.{field} is in no .proto")
        self.chapters = self.arrange()
        self.anchors = self.make_anchors()

    def arrange(self):
        """[(chapter, its messages and enums in order)]"""
        roots = {root for _, first in CHAPTERS for root in first}
        placed, chapters = set(roots), []
        for title, first in CHAPTERS:
            order = [root for root in first if root in self.messages]
            for name in order:  # grows
                for field in self.messages[name].fields if name in self.messages else []:
                    if field.type not in placed and (field.type in self.messages or field.type in self.enums):
                        placed.add(field.type)
                        order.append(field.type)
            chapters.append((title, order))
        for name in [*self.messages, *self.enums]:
            if name not in placed:
                self.problems.append(f"{name} is in no configuration: nothing below Pipeline holds it")
        return chapters

    def make_anchors(self):
        """{message or enum: anchor} as GitHub makes them of headings: the second of a name gets "-1"."""
        anchors, seen = {}, {}
        for title, order in self.chapters:
            for heading in [title, *order]:
                anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
                count = seen[anchor] = seen.get(anchor, -1) + 1
                anchors[heading] = f"{anchor}-{count}" if count else anchor
        return anchors

    def source(self, message, field):
        """(message, field) whose comment tells what the field means; None if none does."""
        if field.comment:
            return message, field
        for pattern, others in INHERIT:
            for other in others if re.fullmatch(pattern, message.name) else []:
                for one in self.messages[other].fields if other in self.messages else []:
                    if one.name == field.name and one.comment:
                        return self.messages[other], one
        return None

    def row(self, message, field):
        """The field's cells; what is wrong with it goes to problems."""
        where = f"{message.name}.{field.name}"
        found = self.source(message, field)
        meaning, default, stated = take_apart(found[1].comment) if found else ("", "", "")
        of_type = (self.messages.get(field.type) or self.enums.get(field.type) or Message("", "", [])).comment
        if not meaning and of_type:
            meaning = clauses(of_type)[0][0].rstrip(":")
        if not meaning:
            self.problems.append(f"{where} has no meaning: write a comment behind it, or above it")
        checked = self.ranges.get((message.name, field.name))
        if checked is None and found:
            checked = self.ranges.get((found[0].name, field.name))
        for clause in stated.split("; ") if stated and checked else []:
            if CHOICE.fullmatch(clause) or contradicts(interval(clause), checked):
                self.problems.append(f'{where}: the comment says "{clause}", ranges.cc checks "{show(*checked)}"')
        return [f"`{field.name}`", self.type_cell(field), self.default_cell(where, field, default, checked),
                self.range_cell(field, checked, stated), self.sentence(meaning)]

    def type_cell(self, field):
        if field.type in SCALARS:
            text = field.type
        else:
            name = "layers (MLP)" if field.type == "MLP" else field.type
            text = f"[{name}](#{self.anchors.get(field.type, '')})"
        return f"list of {text}" if field.repeated else text

    def default_cell(self, where, field, default, checked):
        if field.needed:
            return "required"
        if not field.default:
            return self.mark(default) or "none"
        try:
            value = float(field.default)
        except ValueError:
            value = None
        if value is not None and checked:
            low, high, open_below, open_above = checked
            if not low <= value <= high or (open_below and value == low) or (open_above and value == high):
                self.problems.append(f'{where}: the default {field.default} is outside "{show(*checked)}"')
        text = f"`{field.default}`"
        return f"{text}; {self.mark(default)}" if default and default != "required" else text

    @staticmethod
    def range_cell(field, checked, stated):
        each = "each " if field.repeated else ""
        if checked:
            return each + show(*checked)
        if stated:
            texts = [text if CHOICE.fullmatch(text) else show(*interval(text)) for text in stated.split("; ")]
            return each + ", ".join(texts)
        if field.type in ("uint32", "uint64"):
            return each + "≥ 0"
        return each + "finite" if field.type in ("float", "double") else "–"

    def sentence(self, text):
        """A meaning, with a capital where it begins with a word."""
        return self.mark(text[:1].upper() + text[1:] if re.match(r"([a-z]{2,}|a)([ ,:;]|$)", text) else text)

    def mark(self, text):
        """Comment text as Markdown: names of fields and quoted texts as code, the rest without accidents."""
        def piece(part):
            if part.startswith('"') or ("_" in part and part.lstrip("-").split(".")[0] in self.names):
                return f"`{part}`"
            return re.sub(r"[*|]|<(?=[a-z/!])", r"\\\g<0>", part)

        text = re.sub(" +", " ", text)
        parts = re.split(r'("(?:[^"\\]|\\.)*"|`[^`]*`|(?:--|\b)[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\.[a-z_]+)*\b)', text)
        return "".join(part if part.startswith("`") else piece(part) for part in parts)

    def table(self, heads, rows):
        lines = [heads, ["---"] * len(heads), *rows]
        return "".join("| " + " | ".join(re.sub(r"\n+", "<br>", cell).replace("\\|", "|").replace("|", "\\|")
                                         for cell in row) + " |\n" for row in lines)

    def section(self, name):
        one = self.messages.get(name) or self.enums[name]
        text = f"### {name}\n"
        if one.comment:
            text += self.mark(one.comment) + "\n\n"
        if name in self.enums:
            rows = []
            for value, comment in one.values:
                if rows and not comment:
                    rows[-1][0] += f", `{value}`"
                elif comment:
                    rows.append([f"`{value}`", self.sentence(comment)])
                else:
                    self.problems.append(f"{name}.{value} has no meaning: write a comment behind it, or above it")
            return text + self.table(["value", "meaning"], rows) + "\n"
        if not one.fields:
            return text + "No fields: write `{}`.\n\n"
        for choice in dict.fromkeys(field.oneof for field in one.fields if field.oneof):
            names = [f"`{field.name}`" for field in one.fields if field.oneof == choice]
            some = ", ".join(names) if len(names) < len(one.fields) else "these"
            text += f"At most one of {some}.\n\n"
        heads = ["field", "type", "default", "range", "meaning"]
        return text + self.table(heads, [self.row(one, field) for field in one.fields]) + "\n"

    def foreign_tables(self):
        kinds = [
            ("kIgnored", "Ignored: read over, with one line that says so", "is about"),
            ("kRefused", "Refused", "why, and what to do instead"),
            ("kRenamed", "Corrected: the message names what is meant", "the message"),
        ]
        text = ""
        for kind, title, head in kinds:
            rows = []
            for message, field, one, about in self.foreign:
                if one == kind:
                    place = {"*": "any", "*Feature": "every feature"}.get(message, f"`{message}`")
                    rows.append([place, f"`{field}`", self.mark(about)])
            text += f"### {title}\n" + self.table(["in", "field", head], rows) + "\n"
        return text

    def page(self):
        text = "# The configuration, field by field\n" + INTRODUCTION
        for title, order in self.chapters:
            text += f"- [{title}](#{self.anchors[title]}): "
            text += ", ".join(f"[{name}](#{self.anchors[name]})" for name in order) + "\n"
        text += f"- [{FOREIGN}](#{FOREIGN.lower().replace(' ', '-')})\n\n"
        for title, order in self.chapters:
            text += f"## {title}\n"
            if title == "Features":
                text += self.mark("\n\n".join(self.headers["feature.proto"].split("\n\n")[1:])) + "\n\n"
            text += "".join(self.section(name) for name in order)
        text += f"## {FOREIGN}\n"
        return text + self.foreign_tables().rstrip("\n") + "\n"
