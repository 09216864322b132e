# SPDX-License-Identifier: Apache-2.0
"""What a Model and the functions around it do: bytes, pickle and copies, folders, figures as printed, errors.

PYTHONPATH=build/release/python python3 tests/python/model_test.py --program build/release/manygate
"""

import argparse
import contextlib
import copy
import gc
import io
import json
import logging
import os
import pathlib
import pickle
import random
import re
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, run

SETTINGS = {"train_config.num_epochs": 2}
LABELS = ["click", "purchase"]


def refusal(call, *arguments, **options):
    import manygate

    try:
        call(*arguments, **options)
    except manygate.InvalidInput as error:
        return str(error)
    sys.exit("FAILED: nothing was refused")


def scores(model, rows):
    return {name: values.tobytes() for name, values in model.predict(rows, logits=True).items()}


def repacked(data, change):
    """The archive with other entries: change(list of (name, bytes)) -> the same."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in change(entries):
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def check_bytes(model, rows):
    import manygate

    data = model.to_bytes()
    again = manygate.Model.from_bytes(data)
    expected = scores(model, rows)
    check(scores(again, rows) == expected, "from_bytes(to_bytes()): the same scores")
    check(again.to_bytes() == data, "a copy of the directory gives the same bytes")
    for name, other in [
        ("pickle", pickle.loads(pickle.dumps(model))),
        ("copy", copy.copy(model)),
        ("deepcopy", copy.deepcopy({"m": model})["m"]),
        ("memoryview", manygate.Model.from_bytes(memoryview(data))),
    ]:
        check(scores(other, rows) == expected, f"{name}: the same scores")
    folder = again.model_dir
    check(folder.exists() and again.history() == model.history(), "the log of the training comes along")
    del again
    gc.collect()
    check(not folder.parent.exists(), "its temporary folder goes with it")


def check_wrong_bytes(model):
    import manygate

    data = model.to_bytes()

    def of(change):
        return refusal(manygate.Model.from_bytes, repacked(data, change))

    check("is not a zip file" in refusal(manygate.Model.from_bytes, b"abc"), "bytes of something else")
    for name in ["../evil", "/etc/evil", "members/../../evil", "evil.py", "members/1/../x", "members/0/MANIFEST.json"]:
        check(repr(name) in of(lambda entries: [*entries, (name, b"x")]), f"refused: {name}")
    check("or not twice" in of(lambda entries: [*entries, entries[-1]]), "refused: a name twice")
    version = ("manygate_model.json", b'{"format_version": 2}')
    check("newer version (format 2" in of(lambda entries: [version, *entries[1:]]), "refused: a newer format")
    check("manygate_model.json is missing" in of(lambda entries: entries[1:]), "refused: no version")
    check("holds no MANIFEST.json" in of(lambda entries: entries[:1]), "refused: no model")
    other = of(
        lambda entries: [(name, content[:-1] if name.endswith("tensors") else content) for name, content in entries]
    )
    check("weights.safetensors" in other, f"refused: weights that the manifest does not know: {other}")
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MANIFEST.json", b" " * 10**6)
    check("is compressed" in refusal(manygate.Model.from_bytes, compressed.getvalue()), "refused: a compressed entry")
    generator, refused = random.Random(3), 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        try:
            manygate.Model.from_bytes(damaged)
        except manygate.InvalidInput:
            refused += 1
    check(
        refused > 290, f"{refused} of 300 flipped bits are noticed; the others are dates and attributes in the archive"
    )
    for length in range(0, len(data), len(data) // 50):
        refusal(manygate.Model.from_bytes, data[:length])
    print("ok: shortened bytes are refused")


def check_save(model, rows, folder):
    import manygate

    target = folder / "new" / "model"
    model.save(target)
    check(scores(manygate.Model.load(target), rows) == scores(model, rows), "save makes folders, load reads them")
    check(not any(name.endswith(".tmp") for name in os.listdir(target.parent)), "nothing is left beside it")
    (target / "checkpoints").mkdir()
    other = manygate.train(rows, "click", set=SETTINGS, progress=False)
    other.save(target)
    check(manygate.Model.load(target).outputs[-1].name == "logits_click", "a model directory is replaced")
    check(not (target / "checkpoints").exists(), "with all that was in it")
    before = sorted(os.listdir(model.model_dir))
    model.save(model.model_dir)
    check(sorted(os.listdir(model.model_dir)) == before, "onto itself: nothing happens")
    (target / "notes.txt").write_text("mine")
    check('holds "notes.txt", which would be lost' in refusal(model.save, target), "what is no part of a model stays")
    (folder / "other").mkdir()
    (folder / "other" / "thesis.tex").write_text("mine")
    check("no model directory" in refusal(model.save, folder / "other"), "another folder is not replaced")
    check("is a file" in refusal(model.save, folder / "other" / "thesis.tex"), "nor is a file")
    (folder / "empty").mkdir()
    model.save(folder / "empty")
    check(manygate.Model.load(folder / "empty").name == "mmoe", "an empty folder is used")
    check("absent" in refusal(manygate.Model.load, folder / "absent"), "no such model")


def check_ensemble(rows, folder):
    import manygate

    settings = {**SETTINGS, "train_config.num_epochs": 1, "ensemble.members": 2}
    model = manygate.train(rows, "click", set=settings, progress=False)
    names = zipfile.ZipFile(io.BytesIO(model.to_bytes())).namelist()
    check(
        {"members/1/weights.safetensors", "members/2/MANIFEST.json"} < set(names), "an ensemble: bytes of its members"
    )
    check(scores(pickle.loads(pickle.dumps(model)), rows) == scores(model, rows), "an ensemble: pickled")
    model.save(folder / "ensemble")
    check(scores(manygate.Model.load(folder / "ensemble"), rows) == scores(model, rows), "an ensemble: saved")


def check_figures(program, model, rows, folder):
    """What is printed is what the program prints."""
    import manygate

    model.save(folder / "shown")
    data = folder / "rows.csv"
    run(program, "generate", "funnel", "--rows", "3000", "--output", data)
    evaluation = model.evaluate(data, by="device")
    text = run(program, "evaluate", folder / "shown", "--data", data)
    check(str(evaluation).split("\nby device")[0].strip() == text.split("\n\n", 1)[1].strip(), "the program's table")
    whole = json.loads(run(program, "evaluate", folder / "shown", "--data", data, "--format", "json"))
    check(evaluation["click"]["auc"] == whole["tasks"]["click"]["auc"], "the program's numbers")
    sliced = run(program, "evaluate", folder / "shown", "--data", data, "--by", "device")
    check(str(evaluation).strip() == sliced.split("\n\n", 1)[1].strip().replace("n/a (one class)", "n/a"), "and slices")
    check(sum(part.rows for part in evaluation.by["device"].values()) == evaluation.rows == 3000, "slices add up")
    of_memory = model.evaluate(manygate.generate(3000))
    check(str(of_memory) == str(evaluation).split("\nby device")[0].strip(), "of a table in memory: the same")
    check('did you mean "click"' in error_of(KeyError, lambda: evaluation["clik"]), "an unknown task")
    check("<table>" in evaluation._repr_html_() and "purchase" in evaluation._repr_html_(), "HTML")
    report = model.report(data)
    check(report.rows == 3000 and report.html.startswith("<!DOCTYPE html>"), "a report of other rows")


def error_of(kind, call):
    try:
        call()
    except kind as error:
        return str(error)
    sys.exit(f"FAILED: no {kind.__name__}")


def check_compare(program, folder):
    import manygate

    data = folder / "compared.csv"
    run(program, "generate", "funnel", "--rows", "600", "--output", data)
    flags = ["--label", "click", "--label", "purchase", "--seeds", "2", "--set", "train_config.num_epochs=1"]
    text = run(program, "compare", "--data", data, *flags, "--model_dir", folder / "compare")
    comparison = manygate.compare(data, LABELS, seeds=2, set={"train_config.num_epochs": 1}, progress=False)
    check(str(comparison).strip() in text, "a comparison: the program's tables")
    cell = comparison["click"]["mmoe"]
    check(cell.low <= cell.difference <= cell.high and len(cell.values) == 2, "its numbers")
    check(comparison.seeds == [1, 2] and comparison.rows["click"] > 0, "its seeds and rows")


def check_configurations(rows, folder):
    import manygate

    text = manygate.init(rows, LABELS, model="ple")
    of_text = manygate.train(rows, config=text, set=SETTINGS, progress=False)
    check(of_text.name == "ple", "a configuration as text")
    (folder / "ple.config").write_text(text)
    of_file = manygate.train(rows, config=folder / "ple.config", set=SETTINGS, progress=False)
    check(scores(of_file, rows) == scores(of_text, rows), "and as a file")
    straight = manygate.train(rows, LABELS, model="ple", set=SETTINGS, progress=False)
    check(scores(straight, rows) == scores(of_text, rows), "the same as without")
    sizes = {"model_config.mmoe.task_towers[0].mlp.hidden_units": [8, 4], "train_config.ema": "{decay: 0.9}"}
    changed = manygate.train(rows, LABELS, set={**SETTINGS, **sizes}, progress=False)
    config = (changed.model_dir / "pipeline.config").read_text()
    check("hidden_units: [8, 4]" in config and "decay: 0.9" in config, "set: lists and messages")
    check(
        "num_epoch" in refusal(manygate.train, rows, LABELS, set={"train_config.num_epoch": 1}), "set: an unknown field"
    )
    check("give data and labels" in refusal(manygate.train, rows), "no labels")
    check("give data and labels" in refusal(manygate.train), "nothing at all")
    check("give the model_dir" in refusal(manygate.train, rows, LABELS, resume=True), "resume without a folder")
    first = manygate.train(rows, LABELS, model_dir=folder / "resumed", set=SETTINGS, progress=False).history()
    longer = {"train_config.num_epochs": 3}
    more = manygate.train(rows, LABELS, model_dir=folder / "resumed", set=longer, resume=True, progress=False)
    check((first[-1]["epoch"], more.history()[-1]["epoch"]) == (2, 3), "resume goes on")
    findings = manygate.check({**rows, "copy": rows["click"]}, config=text.replace('"brand"', '"copy"'))
    check(findings[0].severity == "error", f"check: {findings[0]}")
    check(re.fullmatch(r'config:\d+:1: feature "copy"', findings[0].where) is not None, "check: the place in a text")
    wrong = refusal(manygate.train, rows, config=text.replace("num_epochs", "num_epoch"))
    check(wrong.startswith("config:") and "num_epochs" in wrong, f"a wrong configuration: {wrong}")


def check_progress(rows):
    import manygate

    def train(**options):
        return manygate.train(rows, "click", set=SETTINGS, **options)

    def alike(lines):
        """Tables in memory are numbered."""
        return [re.sub(r"memory:\d+", "memory:1", line) for line in lines]

    lines = []
    train(progress=lines.append)
    check(
        any(line.startswith("step ") for line in lines) and not any("\n" in line for line in lines),
        "lines to a function",
    )
    with contextlib.redirect_stderr(io.StringIO()) as shown:
        train()
    check(alike(shown.getvalue().splitlines()) == alike(lines), "the same lines elsewhere")
    with contextlib.redirect_stderr(io.StringIO()) as shown:
        train(progress=False)
    check(shown.getvalue() == "", "silence")
    logged = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logger = logging.getLogger("manygate")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    train(progress=False)
    logger.removeHandler(handler)
    check(alike(logged) == alike(lines), "the same lines to logging")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with contextlib.redirect_stderr(Terminal()) as shown:
        manygate.train(manygate.generate(20000), "click", set=SETTINGS)
    check("\r\x1b[K" in shown.getvalue() and " rows/s" in shown.getvalue(), "a bar in a terminal")

    def stop(line):
        raise ZeroDivisionError(line)

    check("note" in error_of(ZeroDivisionError, lambda: train(progress=stop)), "an error of the function ends the run")


def check_program(program, rows):
    import manygate

    version = run(program, "--version").strip()
    check(run(sys.executable, "-m", "manygate", "--version").strip() == version, "python -m manygate is the program")
    check(manygate.__version__ in version, "and the package of its version")
    run(sys.executable, "-m", "manygate", "trai", code=2)
    folder = manygate.train(rows, "click", set=SETTINGS, progress=False).model_dir
    check(not folder.exists(), "a model that nobody holds leaves no folder")


def check_fork(model, rows):
    """A child that ends, or lets go of the model, leaves the parent's folder alone."""
    expected, process = scores(model, rows), os.fork()
    if process == 0:
        same = scores(model, rows) == expected
        del model
        gc.collect()
        sys.exit(0 if same else 1)
    check(os.waitpid(process, 0)[1] == 0, "a forked process predicts the same")
    check(model.model_dir.exists() and scores(model, rows) == expected, "and leaves the folder where it is")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="build/release/manygate")
    program = parser.parse_args().program
    import manygate

    rows = manygate.generate(500)
    model = manygate.train(rows, LABELS, set=SETTINGS, progress=False)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_bytes(model, rows)
        check_wrong_bytes(model)
        check_save(model, rows, folder)
        check_ensemble(rows, folder)
        check_figures(program, model, rows, folder)
        check_compare(program, folder)
        check_configurations(rows, folder)
    check_progress(rows)
    check_program(program, rows)
    check_fork(model, rows)


if __name__ == "__main__":
    main()
