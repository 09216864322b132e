# SPDX-License-Identifier: Apache-2.0
"""Makes the report of trained models and checks the page, by itself and in a browser.

    python3 tests/report/report_page_test.py page --program build/release/manygate
    python3 tests/report/report_page_test.py browser --program build/release/manygate

page     A funnel model (two binary tasks and an amount) and an ensemble: well-formed HTML in which every picture has a
         caption and a table with rows; nothing is loaded from anywhere; equal input, equal bytes; broken and missing
         metrics become sentences; errors are sentences with their exit code.
browser  The same page, and that of Census-Income where the data are there ($MANYGATE_DATA or ../shared/data), in headless
         Chromium at 1280 and 390 pixels, light and dark: the contrast of every text to what is behind it (WCAG 2.2 AA,
         1.4.3), no sideways scrolling of the page, no text outside of its picture, no two texts of a picture on top of
         each other, all without a network. Exit code 77, with the number of checks left out, where there is no Chromium.
"""
import argparse
import base64
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip  # noqa: E402
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
WIDTHS = [1280, 390]
SCHEMES = {"light": 1, "dark": 0}
VOID = {"meta", "br", "hr", "img", "input", "link", "col", "wbr"}

CONFIG = """
train_input_path: "rows.csv"
train_config { dense_optimizer { adam_optimizer { lr: 0.01 } } num_epochs: 3 seed: 5 use_tensorboard: false }
data_config { batch_size: 64 with_header: true cache_dir: "off" split { validation_fraction: 0.2 test_fraction: 0.2 } }
feature_configs { id_feature { feature_name: "user_id" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "item_id" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "category" one_hot: true } }
feature_configs { raw_feature { feature_name: "price" transform { log1p: true standardise: true } } }
feature_configs { raw_feature { feature_name: "age" transform { standardise: true missing_indicator: true } } }
model_config {
  mmoe {
    num_expert: 6
    expert_mlp { hidden_units: 16 }
    task_towers { tower_name: "click" label_name: "click" mlp { hidden_units: 8 } }
    task_towers { tower_name: "purchase_<b>\\"&" label_name: "purchase" mlp { hidden_units: 8 } }
    task_towers { tower_name: "amount" label_name: "amount" losses { l2_loss {} } weight: 0.01 }
  }
}
"""

TRANSFER = {
    "rows_name": "test rows", "seeds": [1, 2, 3],
    "tasks": [{"tower": "click", "metric": "auc", "higher_is_better": True, "rows": 400, "cells": [
        {"model": "alone", "values": [0.7, 0.7, 0.7], "mean": 0.7, "difference": 0, "low": 0, "high": 0,
         "verdict": "no difference"},
        {"model": "mmoe", "values": [0.8, 0.8, 0.8], "mean": 0.8, "difference": 0.1, "low": 0.05, "high": 0.15,
         "verdict": "gains"}]}],
}


def run(command, cwd, code=0):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    if done.returncode != code:
        sys.exit(f"FAILED: exit code {done.returncode}, expected {code}: {' '.join(map(str, command))}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


class Page(html.parser.HTMLParser):
    """Checks that tags close in order, and collects figures and everything that could load something."""

    def __init__(self, text):
        super().__init__()
        self.open, self.problems, self.figures, self.loads, self.ids, self.anchors = [], [], [], [], set(), []
        self.feed(text)
        self.close()
        if self.open:
            self.problems.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if "id" in values:
            self.ids.add(values["id"])
        for name, value in attributes:
            if name in ("src", "srcset", "xlink:href", "action", "data", "poster", "background") or name.startswith("on"):
                self.loads.append(f"{tag} {name}={value}")
            if name == "href":
                if value.startswith("#"):
                    self.anchors.append(value[1:])
                else:
                    self.loads.append(f"{tag} href={value}")
        if tag in ("script", "link", "iframe", "object", "embed", "img", "base"):
            self.loads.append(f"<{tag}>")
        if tag == "figure":
            self.figures.append({"svg": 0, "figcaption": 0, "rows": 0, "sentence": False})
        elif "figure" in self.open:
            figure = self.figures[-1]
            if tag == "svg":
                figure["svg"] += 1
                if values.get("role") != "img" or not values.get("aria-label"):
                    self.problems.append("an svg without role or aria-label")
            if tag == "figcaption":
                figure["figcaption"] += 1
            if tag == "tr" and "tbody" in self.open:
                figure["rows"] += 1
            if tag == "p" and values.get("class") == "empty":
                figure["sentence"] = True
        elif tag == "svg":
            self.problems.append("an svg outside of a figure")
        if tag == "th" and "scope" not in values:
            self.problems.append("a th without scope")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()


def check_page(text, what, least_pictures):
    page = Page(text)
    check(not page.problems, f"{what}: well-formed {page.problems[:3]}")
    check(not page.loads, f"{what}: loads nothing {page.loads[:3]}")
    check(set(page.anchors) <= page.ids, f"{what}: every link has its anchor")
    check(not re.search(r"https?:|url\(|@import|<script", text), f"{what}: no address, no script")
    for figure in page.figures:
        if figure["figcaption"] != 1 or figure["svg"] > 1 or (figure["svg"] == 1 and figure["rows"] == 0) or (
                figure["svg"] == 0) != figure["sentence"]:
            sys.exit(f"FAILED: {what}: a figure without caption, table or sentence: {figure}")
    pictures = sum(figure["svg"] for figure in page.figures)
    check(pictures >= least_pictures, f"{what}: {pictures} pictures, each with a caption and a table with rows")
    check("nan" not in re.sub(r"<(style|pre).*?</\1>", "", text, flags=re.S).lower().split(), f"{what}: no NaN")


def train_funnel(program, folder):
    run([program, "generate", "funnel", "--rows", 4000, "--seed", 3, "--output", "rows.csv"], folder)
    (folder / "funnel.config").write_text(CONFIG)
    run([program, "train", "funnel.config", "--model_dir", "model"], folder)


def page_test(program, folder):
    train_funnel(program, folder)
    out, _ = run([program, "report", "model"], folder)
    check(out == "model/report.html\n", "the path is printed")
    text = (folder / "model/report.html").read_text()
    check_page(text, "funnel", 20)
    check("purchase_&lt;b&gt;&quot;&amp;" in text and "purchase_<b>" not in text, "a hostile name stays text")
    check(len(text) < 600_000, f"{len(text):,} bytes")

    out, _ = run([program, "report", "model", "--output", "again.html", "--threads", 2, "--format", "json"], folder)
    check(json.loads(out)["report"] == "again.html" and json.loads(out)["tasks"] == 3, "--format json")
    check((folder / "again.html").read_text() == text, "equal input, equal bytes, at any number of threads")
    evaluated = json.loads(run([program, "evaluate", "model", "--format", "json"], folder)[0])
    check(f"{evaluated['tasks']['click']['auc']:.5f}" in text, "the AUC is that of evaluate")

    out, _ = run([program, "report", "model", "--data", "rows.csv", "--output", "data.html"], folder)
    check("rows.csv: 4,000 rows" in (folder / "data.html").read_text(), "--data")
    (folder / "model/transfer.json").write_text(json.dumps(TRANSFER))
    run([program, "report", "model"], folder)
    text = (folder / "model/report.html").read_text()
    check_page(text, "with transfer.json", 21)
    check("▲ gains" in text and "+0.0500 to +0.150" in text, "the transfer table")

    (folder / "model/metrics.jsonl").write_text('{"step": 3, "epoch": 1, "train_loss": {"click": null}}\nbroken\n')
    run([program, "report", "model"], folder)
    text = (folder / "model/report.html").read_text()
    check_page(text, "with a broken metrics.jsonl", 8)
    check("metrics.jsonl has no finite training loss of this task." in text, "a broken metric is a sentence")
    (folder / "model/metrics.jsonl").unlink()
    run([program, "report", "model"], folder)
    text = (folder / "model/report.html").read_text()
    check_page(text, "without metrics.jsonl", 8)
    check("has no metrics.jsonl" in text, "and says so")

    rows = (folder / "rows.csv").read_text().splitlines()
    click = rows[0].split(",").index("click")
    (folder / "zeros.csv").write_text("\n".join(rows[:1] + [row for row in rows[1:] if row.split(",")[click] == "0"][:50]))
    run([program, "report", "model", "--data", "zeros.csv", "--output", "zeros.html"], folder)
    text = (folder / "zeros.html").read_text()
    check_page(text, "one class", 3)
    check("There is no ROC curve: one class." in text, "one class has no curve, and a reason")

    run([program, "train", "funnel.config", "--model_dir", "ensemble", "--set", "ensemble.members=2"], folder)
    run([program, "report", "ensemble"], folder)
    text = (folder / "ensemble/report.html").read_text()
    check_page(text, "ensemble", 20)
    check("An ensemble of 2 networks" in text, "whose curves are shown")
    error_test(program, folder)


def error_test(program, folder):
    for command, code, words in [
            (["report", "nowhere"], 2, ["nowhere"]),
            (["report", "rows.csv"], 2, ["rows.csv"]),
            (["report", "model", "--output", "missing/report.html"], 2, ["the folder missing does not exist"]),
            (["report", "model", "--output", "model"], 2, ["is a folder"]),
            (["report", "model", "--data", "nothing.csv"], 2, ["nothing.csv"]),
    ]:
        _, err = run([program, *command], folder, code)
        check(all(word in err for word in words), f"{' '.join(command)}: {err.strip().splitlines()[0]}")
    (folder / "model/transfer.json").write_text("{")
    _, err = run([program, "report", "model"], folder, 2)
    check("transfer.json" in err, "a broken transfer.json is named")
    run([program, "train", "funnel.config", "--model_dir", "all", "--set", "data_config.split.validation_fraction=0",
         "--set", "data_config.split.test_fraction=0", "--set", "train_config.num_epochs=1"], folder)
    _, err = run([program, "report", "all"], folder, 2)
    check("held out no rows" in err and "--data FILE" in err, "no hold-out rows and no --data")
    check(not (folder / "all/report.html").exists(), "and no page is left")


# Runs in the page. For each element with text of its own: the colour of the text and what is behind it, by the boxes at its
# middle (SVG: shapes below the text; HTML: backgrounds of the ancestors).
PROBE = r"""
<script>
addEventListener('load', () => {
  const parse = text => { const n = text.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = c => { const l = [0, 1, 2].map(i => { const v = c[i] / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const contrast = (a, b) => { const x = luminance(a), y = luminance(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const behindHtml = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const behindSvg = text => {
    const svg = text.ownerSVGElement, own = text.getBoundingClientRect();
    const x = (own.left + own.right) / 2, y = (own.top + own.bottom) / 2;
    let colour = behindHtml(svg);
    for (const shape of svg.querySelectorAll('rect, circle, polygon')) {
      if (shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_PRECEDING) continue;
      const box = shape.getBoundingClientRect(), style = getComputedStyle(shape);
      if (style.fill === 'none' || x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
      const fill = parse(style.fill); fill[3] *= Number(style.fillOpacity); colour = over(fill, colour);
    }
    return colour;
  };
  const found = { texts: 0, worst: 99, failures: [], outside: [], crossing: [], width: document.documentElement.scrollWidth,
    window: innerWidth, dark: matchMedia('(prefers-color-scheme: dark)').matches, smallest: 99 };
  for (const element of document.body.querySelectorAll('*')) {
    if (['SCRIPT', 'STYLE', 'title'].includes(element.tagName)) continue;
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(element), in_svg = element instanceof SVGElement;
    const behind = in_svg ? behindSvg(element) : behindHtml(element);
    const colour = over(parse(in_svg ? style.fill : style.color), behind), size = parseFloat(style.fontSize);
    const large = !in_svg && (size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700));
    const value = contrast(colour, behind);
    const name = (element.className.baseVal ?? element.className) + ' "' + element.textContent.trim().slice(0, 30) + '"';
    found.texts++;
    found.worst = Math.min(found.worst, large ? value * 1.5 : value);
    if (value < (large ? 3 : 4.5)) found.failures.push(name + ' ' + value.toFixed(2));
  }
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')].map(text => [text, text.getBoundingClientRect()]);
    for (const [text, box] of texts) {
      found.smallest = Math.min(found.smallest, parseFloat(getComputedStyle(text).fontSize) * frame.width / svg.viewBox.baseVal.width);
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        found.outside.push(svg.getAttribute('aria-label') + ': ' + text.textContent);
    }
    for (let i = 0; i < texts.length; ++i) for (let j = i + 1; j < texts.length; ++j) {
      const [a, b] = [texts[i][1], texts[j][1]], room = 0.25 * Math.min(a.height, b.height);
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - room && b.top < a.bottom - room)
        found.crossing.push(svg.getAttribute('aria-label') + ': ' + texts[i][0].textContent + ' | ' + texts[j][0].textContent);
    }
  }
  const out = document.createElement('pre'); out.id = 'probe'; out.textContent = 'PROBE' + btoa(unescape(encodeURIComponent(JSON.stringify(found)))) + 'END';
  document.body.append(out); parent.postMessage(out.textContent, '*');
});
</script></body>"""

# Headless Chromium has a least width of its window, so the page stands in a frame of the width asked for.
FRAME = """<!DOCTYPE html><html><body style="margin:0"><iframe src="page.html" style="border:0;width:{width}px;height:2000px">
</iframe><script>addEventListener('message', event => {{ document.body.append(event.data); }});</script></body></html>"""


def probe(browser, page, width, scheme, folder):
    (folder / "page.html").write_text(page.replace("</body>", PROBE))
    (folder / "frame.html").write_text(FRAME.format(width=width))
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,2000",
                           "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000",
                           f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", f"--user-data-dir={folder}/profile",
                           "--allow-file-access-from-files", "--dump-dom", (folder / "frame.html").as_uri()],
                          capture_output=True, text=True, timeout=200)
    found = re.search(r"PROBE([A-Za-z0-9+/=]+)END", done.stdout)
    if not found:
        sys.exit(f"FAILED: no answer from {browser}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return json.loads(base64.b64decode(found[1]))


def check_in_browser(browser, page, what, folder):
    for width in WIDTHS:
        for scheme in SCHEMES:
            found = probe(browser, page, width, scheme, folder)
            where = f"{what}, {width} pixels, {scheme}"
            check(found["window"] == width and found["dark"] == (scheme == "dark"), f"{where}: seen as asked for")
            check(not found["failures"], f"{where}: contrast of {found['texts']} texts, worst {found['worst']:.2f} "
                                         f"{found['failures'][:5]}")
            check(found["width"] <= width, f"{where}: the page is {found['width']} wide")
            check(not found["outside"], f"{where}: texts lie in their pictures {found['outside'][:5]}")
            check(not found["crossing"], f"{where}: texts lie beside each other {found['crossing'][:5]}")
            check(found["smallest"] >= 9, f"{where}: smallest text {found['smallest']:.1f} pixels")


def check_probe(browser, page, folder):
    """Plants faults in the page's style: a look that cannot fail would be worth nothing."""
    faults = {"failures": "svg text { fill: #999 !important; } .tick { fill: #999; }", "outside": "svg text { font-size: 40px; }",
               "crossing": "svg text { font-size: 30px; }", "width": "figure { min-width: 1500px; }"}
    found = probe(browser, page.replace("</style>", " ".join(faults.values()) + "</style>"), 390, "light", folder)
    check(found["width"] > 390 and all(found[kind] for kind in ("failures", "outside", "crossing")), "planted faults are found")


def browser_test(program, folder):
    data = pathlib.Path(os.environ.get("MANYGATE_DATA", ROOT.parent / "shared/data"))
    has_census = (data / "census-income").is_dir()
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        count = len(WIDTHS) * len(SCHEMES) * (3 if has_census else 2)
        skip(f"{count} looks at a page: none of {', '.join(BROWSERS)} is installed")
    train_funnel(program, folder)
    (folder / "model/transfer.json").write_text(json.dumps(TRANSFER))
    run([program, "report", "model"], folder)
    text = (folder / "model/report.html").read_text()
    check_probe(browser, text, folder)
    check_in_browser(browser, text, "funnel", folder)
    # Levels of experts, and a line of metrics.jsonl with long names, many tasks and experts, and an alarm.
    run([program, "train", "--data", "rows.csv", "--label", "click", "--label", "purchase", "--label", "amount", "--model",
         "ple", "--model_dir", "ple", "--set", "train_config.num_epochs=1"], folder)
    log = folder / "ple/metrics.jsonl"
    crowded = json.loads(log.read_text().splitlines()[-1])
    experts = [f"shared_experts.{e}" for e in range(30)]
    crowded["health"] = {"rows": 64, "alarms": ["x" * 200], "gates": [
        {"gate": f"gates.a_task_with_a_long_name_{t}", "experts": experts, "mean_weight": [(e % 5) / 5 for e in range(30)],
         "top_share": [e / 29 for e in range(30)], "entropy": 0.5} for t in range(12)],
        "banks": [{"bank": "shared_experts", "units": 8, "dead_units": [e / 29 for e in range(30)],
                   "similarity": [[(e + f) / 58 for f in range(30)] for e in range(30)]}],
        "cosines": [{"a": f"a_task_with_a_long_name_{a}", "b": f"a_task_with_a_long_name_{b}", "cosine": (a - b) / 12}
                    for a in range(12) for b in range(a)]}
    log.write_text(json.dumps(crowded) + "\n")
    run([program, "report", "ple"], folder)
    check_in_browser(browser, (folder / "ple/report.html").read_text(), "ple, 30 experts, 12 tasks", folder)
    if not has_census:
        print(f"skipped: {len(WIDTHS) * len(SCHEMES)} looks at the page of Census-Income: no {data}/census-income")
        return
    os.environ["MANYGATE_DATA"] = str(data)
    run([program, "train", ROOT / "examples/census_income/mmoe.config", "--model_dir", folder / "census"], ROOT)
    run([program, "report", folder / "census"], ROOT)
    text = (folder / "census/report.html").read_text()
    check_page(text, "Census-Income", 16)
    check_in_browser(browser, text, "Census-Income", folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", choices=["page", "browser"])
    parser.add_argument("--program", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    with tempfile.TemporaryDirectory(prefix="manygate_report_") as folder:
        {"page": page_test, "browser": browser_test}[arguments.test](program, pathlib.Path(folder))


if __name__ == "__main__":
    main()
