# SPDX-License-Identifier: Apache-2.0
"""What the .proto files hold: messages, fields, enums, and the comment of each."""
import dataclasses
import re

FIELD = re.compile(
    r"(?:(optional|repeated|required)\s+)?([\w.]+)\s+(\w+)\s*=\s*\d+\s*(\[.*?\])?\s*;(?=\s*(?:\}\s*)?(?://|$))"
)


@dataclasses.dataclass
class Field:
    name: str
    type: str
    repeated: bool
    oneof: str
    default: str  # as the proto has it, or ""
    needed: bool
    comment: str


@dataclasses.dataclass
class Message:
    name: str
    comment: str
    fields: list


@dataclasses.dataclass
class Enum:
    name: str
    comment: str
    values: list  # (name, comment)


def join(lines):
    """Comment lines as one text; an empty line stays a paragraph, an indented one begins a new line."""
    text = ""
    for line in lines:
        if not line.strip():
            text = text.rstrip() + "\n\n"
        elif line.startswith("  "):
            text = text.rstrip() + "\n" + line.strip() + " "
        else:
            text += line.strip() + " "
    return text.strip()


class Parser:
    """What a .proto of this repository holds: flat messages, one field a line, comments as house style has them."""

    def __init__(self, path, messages, enums):
        self.path, self.messages, self.enums = path, messages, enums
        self.above, self.blocks, self.header = [], [], None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                self.read(line.strip(), line)
            except ValueError as error:
                raise ValueError(f"{path.name}:{number}: {error}: {line.strip()}") from None

    def read(self, line, raw):
        if line.startswith("//"):
            self.above.append(raw.strip()[2:].removeprefix(" "))
        elif not line or line.startswith("//") or line.startswith(("syntax", "import", "package", "option ")):
            if line.startswith("syntax"):
                self.header = join(self.above[1:])
            self.above = []
        else:
            self.statement(line, self.above)
            self.above = []

    def statement(self, line, above):
        opened = re.match(r"(message|enum|oneof|extend)\s+([\w.]+)\s*\{", line)
        if opened:
            kind, name = opened.groups()
            behind = re.fullmatch(r"\}?\s*//\s*(.*)", line[opened.end() :].strip())
            above = [text for text in above if not text.startswith("---")] or ([behind[1]] if behind else [])
            if kind == "message":
                self.messages[name] = Message(name, join(above), [])
            elif kind == "enum":
                self.enums[name] = Enum(name, join(above), [])
            self.blocks.append((kind, name))
            line, above = line[opened.end() :].strip(), []
            if not line or line.startswith("//"):
                return
        if line.startswith("}"):
            self.blocks.pop()
            return
        self.member(line, above)
        if re.search(r";\s*\}\s*(//|$)", line):
            self.blocks.pop()

    def member(self, line, above):
        if not self.blocks:
            raise ValueError("nothing is open here")
        kind, name = self.blocks[-1]
        if kind == "extend":
            return
        if kind == "enum":
            value = re.match(r"(\w+)\s*=\s*\d+\s*;\s*(?://\s*(.*))?$", line)
            if not value:
                raise ValueError("expected a value of an enum")
            self.enums[name].values.append((value[1], join(above + [value[2] or ""])))
            return
        found = FIELD.match(line)
        if not found:
            raise ValueError("expected a field")
        behind = re.sub(r"^\s*\}?\s*(//\s*)?", "", line[found.end() :])
        options = found[4] or ""
        default = re.search(r'default = ("(?:[^"\\]|\\.)*"|[^\],]+)', options)
        owner = next(block for block in reversed(self.blocks) if block[0] == "message")[1]
        above = join(above)
        comment = f"{above}{'' if not above or above[-1] in '.;:' else ';'} {behind}".strip() if behind else above
        self.messages[owner].fields.append(
            Field(found[3], found[2], found[1] == "repeated", name if kind == "oneof" else "",
                  default[1].strip() if default else "", "(needed) = true" in options, comment)
        )
