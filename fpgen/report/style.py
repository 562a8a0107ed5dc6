"""How plots look: told apart without colour as well.

Colours are those of Okabe and Ito, safe for colour-blind readers, ordered so that neighbours differ in lightness
(greyscale); every curve has a marker and a line style of its own besides, and every area a hatch.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MissingTool

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#000000", "#D55E00", "#56B4E9", "#009E73", "#CC79A7", "#7A5C00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1)), (0, (1, 1)))
HATCHES = ("", "///", "...", "\\\\\\", "xx", "--", "++", "oo", "**", "||")
FACES = ("#0072B2", "#F5C77E", "#D9D9D9", "#E58B5C", "#A9D9F2", "#66C2A5", "#E8BFD5", "#8C8C8C", "#FFFFFF", "#4D4D4D")
GREY = "#B8B8B8"

_SETTINGS: Any = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"], "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.titlesize": 11, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": 9, "lines.linewidth": 1.5,
    "hatch.linewidth": 0.6, "svg.fonttype": "none", "figure.dpi": 100, "savefig.dpi": 150,
}


@dataclass(frozen=True)
class Look:
    """The colour, marker and line style of one curve."""

    colour: str
    marker: str
    line: Any


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each curve; past eight, colours stay and markers move on, so that no two are the same up to 64."""
    return {name: Look(COLOURS[i % len(COLOURS)], MARKERS[(i + i // len(COLOURS)) % len(MARKERS)],
                       LINES[(i + i // len(COLOURS)) % len(LINES)]) for i, name in enumerate(names)}


def figure(width: float = 8.4, height: float = 4.8, **grid: Any) -> tuple[Figure, Any]:
    """A figure with its axes, in fpgen's look.

    Raises
    ------
    MissingTool
        Without matplotlib.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingTool("plots need matplotlib: pip install 'fpgen[report]'") from None
    matplotlib.use("agg", force=False)
    matplotlib.rcParams.update(_SETTINGS)
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height))
    return made, made.subplots(**grid)


def log_ticks(ratio: float) -> Any:
    """Where a logarithmic axis has its ticks: 1, 2, 5 of each decade, or less often on a long axis."""
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 1000 else (1.0,), numticks=12)


def legend(panel: Any, title: str | None = None):
    """A legend to the right of the axes, where it hides nothing."""
    panel.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0, title=title)


def arrange(drawn: Figure, labels: Sequence[str] = ()) -> Figure:
    """Leave room for what stands around the axes: the legend's longest line, and `labels` to the left.

    Matplotlib's own layout engines draw a figure several times to find out.
    """
    width, height = drawn.get_size_inches()
    told = [text.get_text() for axes in drawn.axes if (box := axes.get_legend()) for text in box.get_texts()]
    right = 0.65 + 0.075 * max(map(len, told)) if told else 0.2
    left = 0.35 + 0.066 * max(map(len, labels)) if labels else 0.8
    drawn.subplots_adjust(left=min(left / width, 0.5), right=max(1 - right / width, 0.55), bottom=0.55 / height,
                          top=1 - 0.35 / height, hspace=0.28 if all(axes.get_xlabel() for axes in drawn.axes) else 0.1)
    return drawn


def svg(drawn: Figure, salt: str) -> str:
    """The figure as an SVG element that stands in HTML by itself: the same bytes every time, scaled to its place."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg"):]


def inline(text: str, label: str) -> str:
    """An SVG for a page: as wide as the page allows, and named for those who cannot see it."""
    text = re.sub(r'^<svg width="[^"]*" height="[^"]*"|^<svg ', "<svg ", text, count=1)
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def png(drawn: Figure) -> bytes:
    """The figure as PNG."""
    file = io.BytesIO()
    drawn.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
