# SPDX-License-Identifier: Apache-2.0
"""Exported models give the scores of `manygate predict`.

    .venv/bin/python tests/export/export_test.py --program build/release/manygate [--only mmoe_lists] [--keep FOLDER]

Every model of export_models.py is trained on generated rows and exported: as ONNX, which the onnx package must find valid and
ONNX Runtime must score at batches of 0, 1, 7 and 1,000 rows as the program does; as C, which must compile without a warning
and score the same rows; as safetensors, which hold the weights of the model directory. The rows hold unknown, missing and
extreme values. What cannot be exported is refused with its sentence. What docs/howto/export.md shows is run. Exit code 77: a package or the C compiler is missing.
"""
import argparse
import csv
import importlib.util
import json
import math
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import export_models

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import skip  # noqa: E402
ROWS = 1000
BATCHES = [0, 1, 7, ROWS]
TOLERANCE = 1e-5
MISSING = ("", "?", "-1")
EXPONENTIAL = ("y_spend", "y_count")


def why_not():
    missing = [name for name in ("numpy", "onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        return f"the Python package {missing[0]} is missing (scripts/requirements-serve.txt)"
    return None if shutil.which("cc") else "there is no C compiler cc"


def check(condition, text):
    if not condition:
        raise SystemExit(f"export_test: {text}")


def run(*command, folder, code=0, stdin=None):
    done = subprocess.run([str(part) for part in command], cwd=folder, input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)
    check(done.returncode == code, f"{' '.join(map(str, command))}: exit code {done.returncode}, expected {code}\n"
                                   f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done


def read_csv(text):
    rows = list(csv.reader(text.splitlines()))
    return rows[0], [[float(value) for value in row] for row in rows[1:]]


def is_close(got, expected, exponential=False):
    """exponential: of a link that makes of an error in a number x one that is x times as large."""
    if math.isnan(expected) or math.isinf(expected):
        return got == expected or (math.isnan(got) and math.isnan(expected))
    allowed = TOLERANCE * (1 + abs(expected))
    return abs(got - expected) <= (allowed * (1 + math.log1p(abs(expected))) if exponential else allowed)


def check_scores(what, names, got, expected, rows):
    check(len(got) == len(expected), f"{what}: {len(got)} rows for {len(expected)}")
    for i, (one, other) in enumerate(zip(got, expected)):
        check(len(one) == len(other), f"{what}: {len(one)} numbers in a row, expected {len(other)}")
        for name, a, b in zip(names, one, other):
            check(is_close(a, b, name in EXPONENTIAL), f"{what}: row {i}, {name}: {a!r}, expected {b!r}\n{rows[i]}")


def as_text(cell):
    """As the program reads a CSV cell: without blanks around it."""
    return cell.strip(" \t")


def as_number(text):
    return math.nan if text in MISSING else float(text)


def values_of(name, cell):
    """A list as ONNX takes it: the values of the cell; a cell that is missing has none."""
    text = as_text(cell)
    if text in MISSING:
        return []
    parts = [part.strip(" \t\n\v\f\r") for part in text.split(export_models.SEPARATORS[name])]
    if name == "tags":
        return [part for part in parts if part]
    return [part or " " for part in parts] if name in ("history", "history_size", "hours") else parts


def filled(values, size, filler):
    return (values + [filler] * size)[:size]


def onnx_inputs(session, rows):
    """What the rows are to ONNX Runtime: strings and floats, [batch, n] or [batch, positions, values]."""
    import numpy
    feed = {}
    for wanted in session.get_inputs():
        name, shape = wanted.name, wanted.shape[1:]
        is_text, is_list = "string" in wanted.type, wanted.name in export_models.SEPARATORS
        size = math.prod(shape)
        values = []
        for row in rows:
            parts = values_of(name, row[name]) if is_list else [as_text(row[name])]
            values.append(filled(parts if is_text else [as_number(part) for part in parts], size, "" if is_text else math.nan))
        array = numpy.array(values, dtype=object if is_text else numpy.float32)
        feed[name] = array.reshape([len(rows)] + shape)
    return feed


def check_onnx(case, folder, rows, names, expected):
    import onnx
    import onnxruntime
    path = folder / f"{case.name}.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    check([(opset.domain, opset.version) for opset in model.opset_import] == [("", 17), ("ai.onnx.ml", 2)], "other opsets")
    check({entry.key for entry in model.metadata_props} == {"manygate_version", "manygate_model"}, "other metadata")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    widths = {output.name: output.shape[1] for output in session.get_outputs()}
    for batch in BATCHES:
        outputs = session.run(None, onnx_inputs(session, rows[:batch]))
        for output, (output_name, width) in zip(outputs, widths.items()):
            check(output.shape == (batch, width), f"{case.name}: {output_name} is {output.shape} at {batch} rows")
        got = [[float(x) for output in outputs for x in output[i]] for i in range(batch)]
        check_scores(f"{case.name} as ONNX, {batch} rows", names, got, expected[:batch], rows)
    return session.get_inputs()


def check_c(case, folder, rows, names, expected, inputs):
    name = case.name
    run("cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-D{name.upper()}_MAIN", f"{name}.c", "-o", f"{name}.out",
        "-lm", folder=folder)
    lines = []
    for row in rows:
        fields = []
        for wanted in inputs:
            cell = row[wanted.name]
            if "string" in wanted.type:
                fields.append(cell)
            elif wanted.name in export_models.SEPARATORS:
                size = math.prod(wanted.shape[1:])
                numbers = [as_number(part) for part in values_of(wanted.name, cell)]
                fields.append(",".join(str(number) for number in filled(numbers, size, math.nan)))
            else:
                fields.append("" if as_text(cell) in MISSING[:2] else cell)
        lines.append("\t".join(fields))
    done = run(folder / f"{name}.out", folder=folder, stdin="\n".join(lines) + "\n")
    check_scores(f"{name} in C", names, read_csv(done.stdout)[1], expected, rows)


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def check_safetensors(program, case, folder):
    run(program, "export", case.name, "--to", "safetensors", "--output", "weights.safetensors", folder=folder)
    header, values = read_safetensors(folder / "weights.safetensors")
    metadata = header.pop("__metadata__")
    check(metadata["model"] == "mmoe" and metadata["format"] == "manygate", f"metadata {metadata}")
    members = 2 if case.name == "ensemble" else 1
    for member in range(1, members + 1):
        prefix = "" if members == 1 else f"members.{member}."
        model = folder / case.name / (f"members/{member}" if members > 1 else "")
        own, own_values = read_safetensors(model / "weights.safetensors")
        own.pop("__metadata__")
        for name, entry in own.items():
            exported = header.pop(prefix + name)
            (a, b), (c, d) = exported["data_offsets"], entry["data_offsets"]
            check(exported["shape"] == entry["shape"] and values[a:b] == own_values[c:d], f"{name} is another")
    check(not header, f"the exported weights have more: {list(header)}")


def check_case(program, case, folder, rows):
    case.write_config(folder / "case.config", "train.csv")
    kind = ["--model", case.kind] if case.kind else []
    run(program, "train", "case.config", "--model_dir", case.name, "--threads", 1, *kind, folder=folder)
    run(program, "predict", case.name, "--data", "odd.csv", "--logits", "--output", "scores.csv", folder=folder)
    names, expected = read_csv((folder / "scores.csv").read_text())
    done = run(program, "export", case.name, "--to", "onnx", "--output", f"{case.name}.onnx", "--format", "json",
               folder=folder)
    printed = json.loads(done.stdout)
    check(printed["bytes"] == (folder / f"{case.name}.onnx").stat().st_size, f"{case.name}: other bytes")
    check(sum(output["shape"][0] for output in printed["outputs"]) == len(names), f"{case.name}: other outputs")
    run(program, "export", case.name, "--to", "c", "--output", f"{case.name}.c", folder=folder)
    inputs = check_onnx(case, folder, rows, names, expected)
    check([value["name"] for value in printed["inputs"]] == [value.name for value in inputs], f"{case.name}: other inputs")
    check_c(case, folder, rows, names, expected, inputs)
    if case.name in ("mmoe", "ensemble"):
        check_safetensors(program, case, folder)


REFUSALS = [
    ("hash", ['id_feature { feature_name: "colour" hash_bucket_size: 9 embedding_dim: 2 }'] + export_models.NUMBERS,
     'feature "colour" is hashed, which other formats cannot compute: give it a vocabulary'),
    ("generated", ['combo_feature { feature_name: "both" expression: ["colour", "city"] vocab_list: "a" embedding_dim: 2 }'] +
     export_models.NUMBERS, 'feature "both" reads a column that is computed from others, which cannot be exported'),
    ("weighted", ['id_feature { feature_name: "tags" separator: "|" weighted: true embedding_dim: 2 }'] + export_models.NUMBERS,
     'feature "tags" has weighted values, which cannot be exported'),
    ("two_ways", [export_models.LISTS[0], 'id_feature { feature_name: "pairs" expression: "tags" separator: "+" '
                  'embedding_dim: 2 }'] + export_models.NUMBERS,
     'feature "pairs" splits column "tags" in another way than the features before it'),
]


def check_refusals(program, folder):
    for name, features, sentence in REFUSALS:
        case = export_models.Case(name, features=features)
        case.write_config(folder / "case.config", "train.csv")
        run(program, "train", "case.config", "--model_dir", name, folder=folder)
        for to in ("onnx", "c"):
            done = run(program, "export", name, "--to", to, "--output", "refused", folder=folder, code=2)
            check(sentence in done.stderr, f"{name}: {done.stderr}")
            check(not (folder / "refused").exists(), f"{name}: a file in spite of the refusal")
        run(program, "export", name, "--to", "safetensors", "--output", "weights", folder=folder)


def check_proto():
    """manygate/export/onnx.proto has fields of the public package alone, with their numbers, types and labels."""
    import onnx
    text = re.sub(r"//.*", "", (ROOT / "manygate/export/onnx.proto").read_text())
    scopes, fields = [], 0
    for line in text.splitlines():
        opened = re.match(r"\s*(message|enum|oneof) (\w+) \{", line)
        if opened:
            kind, name = opened.groups()
            parent = scopes[-1] if scopes else None
            if kind == "oneof":
                scopes.append(parent)
            elif parent is None:
                scopes.append(getattr(onnx, name).DESCRIPTOR)
            else:
                scopes.append((parent.nested_types_by_name if kind == "message" else parent.enum_types_by_name)[name])
        elif re.match(r"\s*\}", line):
            scopes.pop()
        field = re.match(r"\s*(?:(optional|repeated) )?(\w+) (\w+) = (\d+)( \[.*\])?;", line)
        value = re.match(r"\s*(\w+) = (\d+);", line)
        if field and scopes:
            label, type_name, name, number = field.groups()[:4]
            there = scopes[-1].fields_by_name[name]
            types = {"string": there.TYPE_STRING, "bytes": there.TYPE_BYTES, "int64": there.TYPE_INT64,
                     "int32": there.TYPE_INT32, "float": there.TYPE_FLOAT}
            same = there.type == types[type_name] if type_name in types else (
                (there.message_type or there.enum_type).name == type_name)
            check(there.number == int(number) and same, f"onnx.proto: {line.strip()}")
            is_repeated = there.is_repeated if hasattr(there, "is_repeated") else there.label == there.LABEL_REPEATED
            check((label == "repeated") == is_repeated, f"onnx.proto: {line.strip()}")
            fields += 1
        elif value and scopes:
            check(scopes[-1].values_by_name[value[1]].number == int(value[2]), f"onnx.proto: {line.strip()}")
            fields += 1
    check(fields > 50, f"onnx.proto: {fields} fields found")


def check_declarations(folder, printed):
    """The same when the model is compiled by itself, and when C++ includes it."""
    code = "#define FUNNEL_DECLARATIONS\n" + (folder / "main.c").read_text()
    (folder / "apart.c").write_text(code)
    warnings = ["-O1", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    run("cc", "-std=c99", *warnings, "apart.c", "funnel.c", "-o", "apart", "-lm", folder=folder)
    check(run(folder / "apart", folder=folder).stdout.strip() == printed, "the model compiled by itself scores otherwise")
    if shutil.which("c++"):
        (folder / "apart.cc").write_text(code.replace("= {0}", "= {}"))
        run("cc", "-std=c99", *warnings, "-c", "funnel.c", "-o", "funnel.o", folder=folder)
        run("c++", *warnings, "apart.cc", "funnel.o", "-o", "apart_cc", "-lm", folder=folder)
        check(run(folder / "apart_cc", folder=folder).stdout.strip() == printed, "called from C++ it scores otherwise")


def check_page(program, folder):
    """The commands, the Python and the C of docs/howto/export.md do what the page says."""
    page = (ROOT / "docs/howto/export.md").read_text()
    blocks = re.findall(r"```(\w*)\n(.*?)```", page, re.DOTALL)
    code = {language: text for language, text in blocks if language}
    table, python_output, c_output = [text for language, text in blocks if not language]
    folder.mkdir()
    printed = {}
    for line in code["sh"].splitlines():
        words = line.split()
        printed[words[-1]] = run(program, *words[1:], folder=folder).stdout
    check(printed["funnel.onnx"].splitlines()[1:] == table.splitlines()[1:], f"export prints\n{printed['funnel.onnx']}")
    got = run(sys.executable, "-c", code["python"], folder=folder).stdout
    (folder / "main.c").write_text(code["c"])
    run("cc", "-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "main.c", "-o", "score", "-lm", folder=folder)
    got += run(folder / "score", folder=folder).stdout
    check_declarations(folder, got.splitlines()[-1])
    numbers = [[float(x) for x in re.findall(r"0\.\d+", text)] for text in (got, python_output + c_output)]
    check(len(numbers[0]) == len(numbers[1]) == 6, f"the page's programs print\n{got}")
    # Other instruction sets train to slightly other weights.
    check(all(abs(a - b) < 0.02 for a, b in zip(*numbers)), f"the page's programs print\n{got}")
    check(all(abs(numbers[0][i] - numbers[0][k]) < 2e-6 for i, k in ((0, 4), (2, 5))), "ONNX and C differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="the case of this name alone")
    parser.add_argument("--keep", type=pathlib.Path, help="folder to work in, which stays")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        skip(reason)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        program = options.program.resolve()
        export_models.write_rows(folder / "train.csv", 600, seed=1)
        rows = export_models.write_rows(folder / "odd.csv", ROWS, seed=2, odd=True)
        cases = [case for case in export_models.CASES if options.only in (None, case.name)]
        check(cases, f"there is no case {options.only}")
        for case in cases:
            check_case(program, case, folder, rows)
            print(f"ok: {case.name}", flush=True)
        if options.only is None:
            check_refusals(program, folder)
            check_proto()
            check_page(program, folder / "page")
            print("ok: refusals, onnx.proto, docs/howto/export.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
