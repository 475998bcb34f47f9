"""Pictures of a table's statistics, as SVG to stand in a page.

Matplotlib draws them. Colours are then replaced by the page's own, so that they
follow its light and dark themes, and text stays text in the page's font. All
labels are our own words in ASCII.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from beam_thunder.report.measures import SCRIPTS, Edges, Measure, Statistics, spread

_WIDTH, _ROW, _AXIS, _LEGEND = 460, 46, 30, 26
"""Of a picture, in points: width, height of a row, and of what is below the rows."""

_LEFT = 78
_BARS = 20
_LOG_FROM = 20
"""How many times the least length the greatest is where a logarithmic axis helps."""

# Colours that stand for the page's variables of these names.
_COLOURS = {
    "#010101": "ink",
    "#020202": "quiet",
    "#030303": "line",
    "#040404": "bar",
    "#050505": "on-script",
    "#050506": "seam",
    "#060001": "hangul",
    "#060002": "latin",
    "#060003": "han",
    "#060004": "kana",
    "#060005": "other",
    "#060006": "none",
}
_BY_NAME = {name: colour for colour, name in _COLOURS.items()}
_INK, _QUIET, _LINE = _BY_NAME["ink"], _BY_NAME["quiet"], _BY_NAME["line"]

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib, so widths are the same everywhere
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _QUIET,
    "xtick.color": _QUIET,
    "axes.linewidth": 0.8,
}
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def lengths(statistics: Statistics, salt: str) -> Markup:
    """Histograms of the lengths of each text column, over one axis.

    Args:
      statistics: of a table.
      salt: unlike that of any other picture on the page, for its inner references.

    Returns:
      An `svg` element; nothing if no row has any text.
    """
    if not statistics.columns:
        return Markup()
    measures = [statistics.measures[f"{name}_characters"] for name in statistics.columns]
    edges, logarithmic = _edges(measures)
    with _style(salt):
        figure, panels = _panels(len(measures), _AXIS)
        for panel, measure in zip(panels, measures, strict=True):
            _histogram(panel, measure, edges, logarithmic)
        _axis(panels[-1], logarithmic)
        return _svg(figure, _lengths_in_words(measures))


def scripts(statistics: Statistics, salt: str) -> Markup:
    """The mean share of each script in the letters of each text column, as stacked bars.

    Args:
      statistics: of a table.
      salt: unlike that of any other picture on the page, for its inner references.

    Returns:
      An `svg` element; nothing if no row has any text.
    """
    if not statistics.columns:
        return Markup()
    columns = statistics.columns
    shares = [_script_shares(statistics, column) for column in columns]
    present = [name for name in (*SCRIPTS, "none") if any(each.get(name) for each in shares)]
    with _style(salt):
        figure, panels = _panels(len(columns), _LEGEND)
        for panel, column, each in zip(panels, columns, shares, strict=True):
            panel.set_ylim(-0.75, 0.75)
            _name(panel, column, 0.5)
            _stack(panel, {name: each[name] for name in present if each.get(name)})
        _legend(figure, present)
        return _svg(figure, _scripts_in_words(columns, shares))


def _edges(measures: Sequence[Measure]) -> tuple[Edges, bool]:
    """Where bars begin and end, and whether the axis is logarithmic."""
    low = max(1.0, min(measure.knots[0][0] for measure in measures if measure.knots))
    high = max(low, *(measure.high for measure in measures))
    if high / low > _LOG_FROM:
        return np.geomspace(low - 0.5, high + 0.5, _BARS + 1), True
    return np.linspace(low - 0.5, high + 0.5, min(_BARS, round(high - low) + 1) + 1), False


def _histogram(panel: Axes, measure: Measure, edges: Edges, logarithmic: bool) -> None:
    bars = spread(measure, edges)
    if logarithmic:
        panel.set_xscale("log")
    panel.set_xlim(edges[0], edges[-1])
    panel.set_ylim(0, max(*bars, 0.01) * 1.45)  # room for the median's label
    panel.stairs(bars, edges, fill=True, color=_BY_NAME["bar"], clip_on=False)
    panel.axhline(0, color=_LINE, linewidth=0.8, clip_on=False)
    _name(panel, measure.column)
    middle = min(max(measure.median, edges[0]), edges[-1])
    panel.plot([middle] * 2, [0, 0.76], color=_INK, linewidth=1.1, clip_on=False,
               transform=panel.get_xaxis_transform())  # fmt: skip
    right = panel.transData.transform((middle, 0))[0] > 0.75 * _WIDTH
    panel.annotate(
        f"median {measure.write(measure.median)}",
        (middle, 0.78),
        xycoords=panel.get_xaxis_transform(),
        ha="right" if right else "left",
        fontsize=9,
        annotation_clip=False,
    )


def _axis(panel: Axes, logarithmic: bool) -> None:
    axis = panel.xaxis
    axis.set_visible(True)
    axis.set_tick_params(which="both", length=0, pad=4, labelsize=9)
    low, high = panel.get_xlim()
    decades = LogLocator(subs=(1, 2, 5) if high < 500 * low else (1,))
    axis.set_major_locator(decades if logarithmic else MaxNLocator(6, integer=True))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    label = "characters, logarithmic" if logarithmic else "characters"
    panel.set_xlabel(label, fontsize=9, labelpad=1)


def _script_shares(statistics: Statistics, column: str) -> dict[str, float]:
    """The mean shares of a column, 0 to 1; `none` for rows without any letter."""
    shares = {name: statistics.share(f"{column}_{name}") for name in SCRIPTS}
    without = 1 - sum(shares.values())
    # Means of shares are rounded: less than a thousandth is no row.
    return {**shares, "none": without if without > 0.001 else 0.0}


def _stack(panel: Axes, shares: dict[str, float]) -> None:
    panel.set_xlim(0, 1)
    start = 0.0
    for name, share in shares.items():
        colour = _BY_NAME[name]
        panel.barh(0, share, left=start, height=0.72, color=colour, linewidth=0, clip_on=False)
        if start:
            # A line between neighbours, for those who do not tell their colours apart.
            panel.plot([start] * 2, [-0.36, 0.36], color=_BY_NAME["seam"], linewidth=1.2,
                       clip_on=False)  # fmt: skip
        label = f"{_title(name)} {share:.0%}" if share > 0.2 else f"{share:.0%}"
        if share > 0.07:
            middle = start + share / 2
            panel.text(middle, 0, label, ha="center", va="center_baseline", fontsize=9,
                       color=_BY_NAME["on-script"])  # fmt: skip
        start += share


def _legend(figure: Figure, names: Sequence[str]) -> None:
    height = figure.get_figheight() * 72
    for index, name in enumerate(names):
        x = (_LEFT + index * 64) / _WIDTH
        square = Rectangle((x, 7 / height), 9 / _WIDTH, 9 / height, color=_BY_NAME[name], lw=0)
        figure.add_artist(square)
        figure.text(x + 13 / _WIDTH, 8 / height, _title(name), color=_QUIET, fontsize=9)


def _title(script: str) -> str:
    return "no letters" if script == "none" else script.capitalize()


def _panels(rows: int, below: int) -> tuple[Figure, list[Axes]]:
    """A figure with a row for each column, and room for what is below them, in points."""
    height = rows * _ROW + below
    figure = Figure(figsize=(_WIDTH / 72, height / 72))
    figure.patch.set_visible(False)
    width = (_WIDTH - _LEFT - 8) / _WIDTH
    panels = []
    for row in range(rows):
        bottom = (below + (rows - 1 - row) * _ROW) / height
        panel = figure.add_axes((_LEFT / _WIDTH, bottom, width, _ROW / height))
        panel.set_frame_on(False)
        panel.xaxis.set_visible(False)
        panel.yaxis.set_visible(False)
        panels.append(panel)
    return figure, panels


def _name(panel: Axes, column: str, height: float = 0.3) -> None:
    where = panel.transAxes
    panel.text(-0.02, height, column, ha="right", va="center", fontsize=10, transform=where)


@contextmanager
def _style(salt: str) -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever its user's settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_SETTINGS, "svg.hashsalt": salt})
        yield


def _svg(figure: Figure, words: str) -> Markup:
    """The figure as an element of a page, with a description in words."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata=_METADATA)
    text = out.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)  # would hold for the page
    body = re.sub(r' id="[a-z0-9.]+_\d+"', "", body)  # the same in every picture
    body = re.sub(r"font(-family)?: [^;\"]*'[^;\"]*;? ?", "", body)  # the page's instead
    body = re.sub(r' transform="rotate\(-0 [^"]*"', "", body)
    body = re.sub(r"(\.\d)\d+", r"\1", body)
    body = re.sub(r"\s+", " ", body).replace("> <", "><").replace("<g/>", "")
    for colour, name in _COLOURS.items():
        body = body.replace(colour, f"var(--{name})")
    width, height = (round(inches * 72) for inches in figure.get_size_inches())
    start = Markup('<svg class="picture" role="img" aria-label="{}" viewBox="0 0 {} {}">')
    return start.format(words, width, height) + Markup(body)


def _lengths_in_words(measures: Sequence[Measure]) -> str:
    parts = [
        f"{each.column} {each.write(each.low)} to {each.write(each.high)}, "
        f"median {each.write(each.median)}"
        for each in measures
    ]
    return f"Lengths in characters: {'; '.join(parts)}."


def _scripts_in_words(columns: Sequence[str], shares: Sequence[dict[str, float]]) -> str:
    parts = [
        f"{column} {', '.join(f'{_title(name)} {s:.1%}' for name, s in each.items() if s)}"
        for column, each in zip(columns, shares, strict=True)
    ]
    return f"Mean share of the letters: {'; '.join(parts)}."
