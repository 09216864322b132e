# SPDX-License-Identifier: Apache-2.0
"""The docstrings of everything public in the package: complete, and their examples run as printed; so does python.md.

    PYTHONPATH=build/release/python python3 tests/python/docstrings_test.py

Functions and methods say what they do, describe each parameter (Args), what comes back (Returns) and what is raised
(Raises); classes describe what they hold (Attributes); all have an example, which is run. manygate.sklearn and
manygate.spark are looked at where scikit-learn and Spark are installed; Spark's examples need a session: spark_test.py.
"""

import contextlib
import doctest
import importlib
import inspect
import io
import pathlib
import re
import sys
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, without

NEEDS = {"manygate": [], "manygate.sklearn": ["sklearn"], "manygate.spark": ["pyspark"]}
NOT_RUN = {"manygate.spark"}
# What other libraries define on the classes, or call by their own rules.
FOREIGN = {"set_fit_request", "set_score_request", "set_predict_request", "set_output", "get_metadata_routing"}


def own_members(kind):
    """Public methods that Manygate defines, also in private classes below."""
    members = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.split(".")[0] == "manygate":
            members.update(vars(parent))
    return {name: member for name, member in members.items() if not name.startswith("_") and name not in FOREIGN}


def public_things(module):
    """(name, object) of functions, classes and methods."""
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isroutine(thing):
            yield f"{module.__name__}.{name}", thing
        elif inspect.isclass(thing):
            yield f"{module.__name__}.{name}", thing
            for member_name, member in own_members(thing).items():
                member = getattr(member, "__func__", member)
                if inspect.isfunction(member) or isinstance(member, property):
                    yield f"{module.__name__}.{name}.{member_name}", member


def sections(text):
    """{"Args": its lines, ...} of a docstring."""
    found = re.split(r"(?m)^(Args|Attributes|Returns|Raises|Example):$", inspect.cleandoc(text))
    return {"": found[0], **dict(zip(found[1::2], found[2::2]))}


def missing_parts(thing):
    """What a docstring lacks."""
    parts = sections(thing.__doc__ or "")
    if not parts[""].strip():
        return ["a description"]
    lacking = []
    if inspect.isclass(thing):
        if not issubclass(thing, BaseException):
            described = set(re.findall(r"(?m)^    (\w+):", parts.get("Attributes", parts.get("Args", ""))))
            fields = getattr(thing, "_fields", getattr(thing, "__dataclass_fields__", ()))
            lacking += [f"attribute {name}" for name in fields if name not in described]
            lacking += [] if "Example" in parts else ["Example"]
        return lacking
    if inspect.isfunction(thing):
        described = set(re.findall(r"(?m)^    (\w+):", parts.get("Args", "")))
        parameters = [name for name in inspect.signature(thing).parameters if name not in ("self", "cls")]
        lacking += [f"parameter {name}" for name in parameters if name not in described]
        lacking += [f"no parameter {name}" for name in described if name not in parameters]
        returns = inspect.signature(thing).return_annotation not in (None, "None")
        lacking += ["Returns"] if returns and "Returns" not in parts else []
        lacking += ["Raises"] if parameters and "Raises" not in parts else []
    example = parts.get("Example", "")
    return lacking + ([] if ">>>" in example else ["Example"])


def run_examples(module):
    """(how many, texts of the failures)"""
    finder, failures, count = doctest.DocTestFinder(), [], 0
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    named = [(module.__name__, module), *public_things(module)]
    for name, thing in named:
        for test in finder.find(thing, name, module=False) if not inspect.ismodule(thing) else [module_test(thing)]:
            if test is None or not test.examples or not test.name.startswith(name):
                continue
            if test.name != name:
                continue  # the parts of a class come by themselves
            test.globs = {}
            runner.run(test, out=failures.append)
            count += 1
    return count, failures


def module_test(module):
    return doctest.DocTestParser().get_doctest(module.__doc__ or "", {}, module.__name__, module.__file__, 0)


def run_page(path):
    """The python blocks of a page, in order; what each prints must be the block behind it."""
    text = path.read_text()
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```\n(?:```\n(.*?)^```\n)?", text)
    space = {}
    for number, (program, expected) in enumerate(blocks, 1):
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            exec(compile(program, f"{path.name}, block {number}", "exec"), space)
        same = out.getvalue() == expected
        check(same, f"{path.name}: block {number} prints what stands behind it" + ("" if same else out.getvalue()))
    check(len(blocks) >= 3, f"{path.name}: {len(blocks)} blocks")


def prove_checks():
    """The checks themselves find what is missing."""

    def described(first, second):
        """Adds.

        Args:
            first: A number.
            third: A number.

        Example:
            Without code.
        """
        return first + second

    found = ["parameter second", "no parameter third", "Returns", "Raises", "Example"]
    check(missing_parts(described) == found, "what a docstring lacks is found")
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    check(doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None).failed == 1, "a wrong example fails")


def main():
    prove_checks()
    warnings.simplefilter("error", DeprecationWarning)
    for name, needed in NEEDS.items():
        if without(*needed):
            print(f"skipped: {name}, {without(*needed)[0]} is not installed")
            continue
        if importlib.util.find_spec(name) is None:
            sys.exit(f"FAILED: {name} is not there")
        module = importlib.import_module(name)
        things = list(public_things(module))
        lacking = [
            f"{thing_name}: {', '.join(parts)}" for thing_name, thing in things if (parts := missing_parts(thing))
        ]
        check(
            not lacking, f"{name}: {len(things)} docstrings are complete" + "".join(f"\n  {line}" for line in lacking)
        )
        if name in NOT_RUN:
            continue
        count, failures = run_examples(module)
        check(not failures, f"{name}: {count} examples run as printed\n" + "".join(failures))
        without_example = [thing_name for thing_name, thing in things if ">>>" not in (thing.__doc__ or "")]
        expected = {f"manygate.{error}" for error in ("Failed", "InvalidInput")}
        check(set(without_example) <= expected, f"{name}: nothing public lacks an example")
        check(count >= len(things) - len(expected), f"{name}: every example was run")
    if without("pandas"):
        print("skipped: docs/howto/python.md, pandas is not installed")
    else:
        run_page(ROOT / "docs" / "howto" / "python.md")


if __name__ == "__main__":
    main()
