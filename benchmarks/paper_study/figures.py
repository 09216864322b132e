# SPDX-License-Identifier: Apache-2.0
"""The two figures of the study as SVG: loss curves, and histograms of final losses. Standard library only."""
import html
import math

MODELS = {"shared_bottom": "Shared-Bottom", "omoe": "OMoE", "mmoe": "MMoE"}
STYLE = """<style>
  text { font-family: system-ui, Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2328 }
  .title { font-weight: 600 } .small { font-size: 12px; fill: #57606a }
  .warning { fill: #b42318; font-weight: 600 }
  .back { fill: #ffffff } .grid { stroke: #d8dee4; stroke-width: 1 } .axis { stroke: #8c959f; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 } .band { stroke: none; opacity: .16 }
  .mark { stroke: #1f2328; stroke-width: 1.5 }
  .shared_bottom { stroke: #b54708; fill: #b54708 } .omoe { stroke: #1d5fd1; fill: #1d5fd1 }
  .mmoe { stroke: #067647; fill: #067647 } .line { fill: none } .bar { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9da7b1 } .warning { fill: #ff9592 } .back { fill: #0d1117 }
    .grid { stroke: #30363d } .axis { stroke: #6e7681 } .mark { stroke: #e6edf3 }
    .shared_bottom { stroke: #f79009; fill: #f79009 } .omoe { stroke: #6ea8fe; fill: #6ea8fe }
    .mmoe { stroke: #3ccb7f; fill: #3ccb7f } .line { fill: none } .band, .bar { stroke: none }
  }
</style>"""


def svg(width, height, title, body, meaningful):
    warning = "" if meaningful else text(width - 12, 20, "quick run: not meaningful", "warning", "end")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{html.escape(title)}">\n<title>{html.escape(title)}</title>\n{STYLE}\n'
            f'<rect class="back" width="{width}" height="{height}"/>\n' + "\n".join(body) + warning + "\n</svg>\n")


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


class LogScale:
    """Maps [low, high], both above 0, to [first, last] of the picture."""

    def __init__(self, low, high, first, last):
        self.low, self.high, self.first, self.last = low, high, first, last

    def __call__(self, value):
        value = min(max(value, self.low), self.high)
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self):
        """1, 2 and 5 times the powers of ten in the range; only the 1s where these are many."""
        found = [(m, m * 10.0**power) for power in range(-6, 4) for m in (1, 2, 5)]
        found = [(m, v) for m, v in found if self.low <= v <= self.high]
        return [v for m, v in found if len(found) <= 7 or m == 1]


def legend(x, y):
    parts = []
    for model, name in MODELS.items():
        parts += [line(x, y - 4, x + 22, y - 4, f"line {model}"), text(x + 28, y, name)]
        x += 56 + 8 * len(name)
    return parts


def curves(results):
    """Mean normalised loss by step with the band from 5 % to 95 % of the runs, a panel per correlation."""
    width, height, top, bottom, left, gap = 1000, 400, 76, 48, 56, 24
    panel = (width - left - 12 - 2 * gap) / 3
    cells = results["cells"]
    low = min(min(c["curve"]["q05"]) for c in cells) / 1.1
    high = max(max(c["curve"]["q95"]) for c in cells) * 1.1
    steps = results["settings"]["steps"]
    body = [text(left, 22, "Loss on unseen rows by training step: mean of the runs, band 5 % to 95 %", "title")]
    body += legend(left, 44)
    scale = LogScale(low, high, height - bottom, top)
    for column, correlation in enumerate(sorted({c["correlation"] for c in cells})):
        start = left + column * (panel + gap)
        body.append(text(start + panel / 2, top - 8, f"correlation {correlation:.1f}", "", "middle"))
        for tick in scale.ticks():
            body.append(line(start, scale(tick), start + panel, scale(tick), "grid"))
            if column == 0:
                body.append(text(start - 8, scale(tick) + 4, f"{tick:g}", "small", "end"))
        body.append(line(start, height - bottom, start + panel, height - bottom, "axis"))
        for share in (0, 0.5, 1):
            anchor = {0: "start", 1: "end"}.get(share, "middle")
            body.append(text(start + share * panel, height - bottom + 18, f"{steps * share:,.0f}", "small", anchor))
        body.append(text(start + panel / 2, height - 10, "step", "small", "middle"))
        for cell in (c for c in cells if c["correlation"] == correlation):
            curve, points = cell["curve"], len(cell["curve"]["mean"])
            # A point stands for the steps since the one before: at their middle.
            xs = [start + panel * (i + 0.5) / points for i in range(points)]
            upper = [f"{x:.1f},{scale(v):.1f}" for x, v in zip(xs, curve["q95"])]
            lower = [f"{x:.1f},{scale(v):.1f}" for x, v in zip(xs, curve["q05"])]
            mean = [f"{x:.1f},{scale(v):.1f}" for x, v in zip(xs, curve["mean"])]
            body.append(f'<polygon class="band {cell["model"]}" points="{" ".join(upper + lower[::-1])}"/>')
            body.append(f'<polyline class="line {cell["model"]}" points="{" ".join(mean)}"/>')
    return svg(width, height, "Loss by training step for three correlations", body, results["meaningful"])


def histograms(results):
    """Final losses of all runs: a row per correlation, a column per model, the same axes everywhere."""
    width, left, top, panel_height, gap, bins = 1000, 92, 62, 120, 24, 36
    cells = results["cells"]
    panel = (width - left - 12 - 2 * gap) / 3
    everything = sorted(v for c in cells for v in c["losses"][0])
    low, high = everything[0] / 1.05, everything[-1] * 1.05
    counts = {}
    for cell in cells:
        scale = LogScale(low, high, 0, bins)
        counts[cell["correlation"], cell["model"]] = bars = [0] * bins
        for value in cell["losses"][0]:
            bars[min(bins - 1, int(scale(value)))] += 1
    tallest = max(max(bars) for bars in counts.values())
    correlations = sorted({c["correlation"] for c in cells})
    height = top + len(correlations) * (panel_height + gap) + 32
    body = [text(12, 22, "Final loss on unseen rows, all runs; the mark is the median", "title")]
    for cell in cells:
        row, column = correlations.index(cell["correlation"]), list(MODELS).index(cell["model"])
        start, floor = left + column * (panel + gap), top + row * (panel_height + gap) + panel_height
        scale = LogScale(low, high, start, start + panel)
        if row == 0:
            body.append(text(start + panel / 2, top - 12, MODELS[cell["model"]], "", "middle"))
        if column == 0:
            body.append(text(left - 12, floor - panel_height / 2 - 4, "correlation", "small", "end"))
            body.append(text(left - 12, floor - panel_height / 2 + 12, f'{cell["correlation"]:.1f}', "", "end"))
        for tick in scale.ticks():
            body.append(line(scale(tick), floor - panel_height, scale(tick), floor, "grid"))
            if row == len(correlations) - 1:
                body.append(text(scale(tick), floor + 18, f"{tick:g}", "small", "middle"))
        for i, count in enumerate(counts[cell["correlation"], cell["model"]]):
            bar = panel_height * count / tallest
            if count:
                body.append(f'<rect class="bar {cell["model"]}" x="{start + panel * i / bins:.1f}" '
                            f'y="{floor - bar:.1f}" width="{panel / bins - 1:.1f}" height="{bar:.1f}"/>')
        body.append(line(start, floor, start + panel, floor, "axis"))
        median = scale(cell["summary"]["q50"])
        body.append(line(median, floor - panel_height, median, floor, "mark"))
    body.append(text(left + 1.5 * panel + gap, height - 6, "squared error / variance of the label", "small", "middle"))
    return svg(width, height, "Histograms of final losses by model and correlation", body, results["meaningful"])
