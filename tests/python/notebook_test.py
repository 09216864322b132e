# SPDX-License-Identifier: Apache-2.0
"""A notebook, run by a real kernel: the training's bar is drawn over; evaluation, comparison and report show as HTML.

    PYTHONPATH=build/release/python python3 tests/python/notebook_test.py

The report is also looked at in headless Chromium, where there is one. Exit code 77: nbclient or ipykernel is not
installed.
"""

import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, skip, without

CELLS = {
    "train": """
import manygate
rows = manygate.generate(20000)
model = manygate.train(rows, ["click", "purchase"], set={"train_config.num_epochs": 4})
""",
    "model": "model",
    "evaluation": 'model.evaluate(by="device")',
    "report": "model.report()",
    "comparison": """
settings = {"train_config.num_epochs": 1}
manygate.compare(manygate.generate(500), ["click", "purchase"], seeds=2, set=settings, progress=False)
""",
    "lines": """
lines = []
manygate.train(manygate.generate(500), "click", progress=lines.append)
len(lines), any("\\n" in line or "\\x1b" in line for line in lines)
""",
    "error": """
try:
    manygate.train(rows, "clik", progress=False)
except manygate.InvalidInput as error:
    print(error)
""",
}
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# Follows a link within the frame, then writes where that led.
PROBE = """<script>
setTimeout(() => {
  const frame = document.querySelector("iframe");
  frame.contentDocument.querySelector('a[href="#configuration"]').click();
  setTimeout(() => {
    const inner = frame.contentWindow;
    const height = inner.document.documentElement.scrollHeight;
    document.body.textContent = `PROBE ${inner.location.href} ${Math.round(inner.scrollY)} ${height} END`;
  }, 1000);
}, 1000);
</script>"""
# What the client saw on the way to the last state of the output.
updates = []


def execute():
    """The outputs of each cell."""
    import nbclient
    import nbformat

    class Client(nbclient.NotebookClient):
        def process_message(self, message, cell, cell_index):
            if message["msg_type"] == "update_display_data":
                updates.append(message["content"]["data"]["text/plain"])
            return super().process_message(message, cell, cell_index)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS.values()])
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    notebook.metadata.update(kernel)
    Client(notebook, timeout=120, kernel_name="python3").execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells)}


def shown(outputs, kind):
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


def check_training(outputs):
    check([output["output_type"] for output in outputs] == ["display_data"], "training: one output, of one display")
    text = shown(outputs, "text/plain")[0]
    check("\x1b" not in text and "\r" not in text, "no escape codes are left")
    lines = text.rstrip("\n").split("\n")
    check(10 < len(lines) < 80, f"{len(lines)} lines remain")
    check("probs_click" in text and "note: label click: binary" in text, "the notes and the drawing of the network")
    check(not any("rows/s" in line for line in lines), "the bar is gone")
    bars = [update.rsplit("\n", 1)[-1] for update in updates]
    drawn = [bar for bar in bars if re.match(r"epoch \d+/4 \[#*\.*\] +\d+ %  [\d,]+ rows/s", bar)]
    check(len(drawn) >= 2 and len(set(drawn)) >= 2, f"the bar was drawn over {len(drawn)} times, like: {drawn[-1]}")


def check_in_browser(frame):
    """The frame within another page, as notebooks show it: it is drawn, and its own links stay in it."""
    browser = next(filter(shutil.which, BROWSERS), None)
    if browser is None:
        print("skipped: the frame in a browser, there is no Chromium")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "notebook.html").write_text(f"<!DOCTYPE html><body>{frame}{PROBE}</body>")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000"]
        command += [f"--user-data-dir={folder}/profile", "--dump-dom", (folder / "notebook.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"PROBE (\S+) (\d+) (\d+) END", done.stdout)
    if found is None:
        sys.exit(f"FAILED: no answer from {browser}: {done.stdout[-300:]} {done.stderr[-300:]}")
    place, scrolled, height = found[1], int(found[2]), int(found[3])
    check(height > 2000, f"the report is drawn, {height} pixels high")
    check(place == "about:srcdoc#configuration" and scrolled > 500, f"its links stay in it: {place}")


def main():
    if without("nbclient", "ipykernel", "nbformat"):
        skip(f"{without('nbclient', 'ipykernel', 'nbformat')[0]} is not installed")
    outputs = execute()
    check_training(outputs["train"])
    check(
        shown(outputs["model"], "text/plain") == ["Model(mmoe: 12 columns -> probs_click, probs_purchase)"],
        "a model's text",
    )
    evaluation = shown(outputs["evaluation"], "text/html")[0]
    check(evaluation.count("<table>") == 2, "an evaluation: a table, and one by device")
    check(
        '<td style="text-align:left">purchase</td>' in evaluation and ">log_loss</th>" in evaluation,
        "its tasks and metrics",
    )
    check("phone" in evaluation and "auc 95 %" in evaluation, "its slices and intervals")
    frame = shown(outputs["report"], "text/html")[0]
    page = html.unescape(re.fullmatch(r'<iframe srcdoc="([^"]*)" [^>]*></iframe>', frame).group(1))
    check(page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>"), "a report: the page within a frame")
    check("calibration" in page and "<script" not in page, "the report's sections, without scripts")
    check_in_browser(frame)
    comparison = shown(outputs["comparison"], "text/html")[0]
    check(comparison.count("<table>") == 2 and "shared_bottom" in comparison, "a comparison: a table per task")
    lines = shown(outputs["lines"], "text/plain")[0]
    check(re.fullmatch(r"\(\d\d, False\)", lines) is not None, f"progress as a function: whole lines, {lines}")
    error = outputs["error"][0]["text"]
    check("clik" in error and "click" in error, f"an error suggests: {error.strip()}")


if __name__ == "__main__":
    main()
