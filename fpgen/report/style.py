"""How plots look: distinguishable without colour as well.

Colours are those of Okabe and Ito, safe for colour-blind readers, ordered so that neighbours differ in lightness
(greyscale); every curve has its own marker and line style as well, and every area a hatch.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#000000", "#D55E00", "#56B4E9", "#009E73", "#CC79A7", "#7A5C00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1)), (0, (1, 1)))
#: More decades than this beside a zero are not distinguished; matplotlib's own margins overflow at 300.
_DECADES = 40
HATCHES = ("", "///", "...", "\\\\\\", "xx", "--", "++", "oo", "**", "||")
FACES = ("#0072B2", "#F5C77E", "#D9D9D9", "#E58B5C", "#A9D9F2", "#66C2A5", "#E8BFD5", "#8C8C8C", "#FFFFFF", "#4D4D4D")
DARK = "#555555"

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.5,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "text.parse_math": False,  # a dollar in a parameter's value is a dollar
    "axes.formatter.limits": (-4, 7),
    "axes.formatter.useoffset": False,
}


@dataclass(frozen=True)
class Look:
    """The colour, marker and line style of one curve."""

    colour: str
    marker: str
    line: Any


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each curve; past eight, colours stay and markers move on, so that no two are the same up to 64."""
    return {
        name: Look(
            COLOURS[i % len(COLOURS)],
            MARKERS[(i + i // len(COLOURS)) % len(MARKERS)],
            LINES[(i + i // len(COLOURS)) % len(LINES)],
        )
        for i, name in enumerate(names)
    }


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
        raise MissingTool(f"plots need matplotlib: {install_extra('report')}") from None
    matplotlib.use("agg", force=False)
    matplotlib.rcParams.update(_SETTINGS)
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height))
    return made, made.subplots(**grid)


def title(panel: Any, text: str) -> None:
    """What a panel shows; at a fixed height, since matplotlib would measure every label to find one."""
    panel.set_title(text, y=1.0, pad=6)


def scale(axis: Any, setter: Any, values: Sequence[float]) -> None:
    """Make an axis logarithmic where its figures span more than a decade.

    With zeros among them (an exact result has no error) the part below the smallest other figure is linear.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    setter : callable
        `set_xscale` or `set_yscale` of its panel.
    values : sequence of float
    """
    from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

    known = [value for value in values if value > 0]
    axis.set_major_formatter(lambda value, place: plain(value))  # formulas ($10^3$) take long, and no file wants them
    if not known or min(values) < 0 or max(known) <= 10 * min(known):
        return
    ratio = max(known) / min(known)
    if len(known) == len(values):
        setter("log")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 1000 else (1.0,), numticks=12))
        if ratio < 1000:  # 1, 2 and 5 are named; ticks between them take as long to draw as the marks
            axis.set_minor_locator(NullLocator())
    else:
        most = math.ceil(math.log10(max(known)))
        least = max(math.floor(math.log10(min(known))), most - _DECADES)
        setter("symlog", linthresh=10.0**least, linscale=0.4)
        axis.set_major_locator(
            FixedLocator([0, *(10.0**power for power in range(least, most + 1, max(1, (most - least) // 8)))])
        )
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, place: plain(value))
    axis.set_minor_formatter("")


def whole(axis: Any, values: Sequence[float]) -> None:
    """Ticks at whole numbers, of an axis whose values are."""
    from matplotlib.ticker import MaxNLocator

    if all(value == int(value) for value in values):
        axis.set_major_locator(MaxNLocator(nbins="auto", integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def plain(value: float) -> str:
    """A number at a tick: as it is, or far from 1 with a power of ten in plain characters."""
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)) + 1e-9)
    if -3 < power < 7:
        return f"{value:.7g}".replace("-", "−")
    digits = f"{value / 10.0**power:.3g}".replace("-", "−")
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digits == "1" else f"{digits}·10{raised}"


def legend(panel: Any, handles: Sequence[Any], names: Sequence[str], heading: str = "") -> None:
    """A legend to the right of the axes, where it hides nothing."""
    names = [f" {name}" if name.startswith("_") else name for name in map(short, names)]  # or matplotlib drops them
    panel.legend(
        handles,
        names,
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
        borderaxespad=0,
        title=heading or None,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 9},
    )


def short(text: str, most: int = 44) -> str:
    """A text with its middle left out where it is longer than `most`."""
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def arrange(drawn: Figure, labels: Sequence[str] = ()) -> Figure:
    """Leave room for what is around the axes: the legend's longest line, and `labels` to the left.

    Matplotlib's own layout engines draw a figure several times to find out.
    """
    width, height = drawn.get_size_inches()
    texts = [
        text.get_text()
        for axes in drawn.axes
        if (box := axes.get_legend())
        for text in (*box.get_texts(), box.get_title())
    ]
    right = 0.65 + 0.075 * max(map(len, texts)) if texts else 0.2
    left = 0.35 + 0.066 * max(map(len, labels)) if labels else 0.8
    drawn.subplots_adjust(
        left=min(left / width, 0.5),
        right=max(1 - right / width, 0.55),
        bottom=0.55 / height,
        top=1 - 0.35 / height,
        hspace=0.28 if all(axes.get_xlabel() for axes in drawn.axes) else 0.1,
    )
    return drawn


def svg(drawn: Figure, salt: str) -> str:
    """The figure as an SVG element for use inside HTML: the same bytes every time, scaled to its place."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def inline(text: str, label: str, links: Mapping[str, str]) -> str:
    """An SVG for a page: as wide as the page allows, named for those who cannot see it, its marks with a hint each.

    Parameters
    ----------
    text : str
        As `svg` makes it.
    label : str
        What the plot is.
    links : dict
        Place in the page (``#r12``) to what the mark that points to it is.
    """
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, count=1, flags=re.S)
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)  # else twice in a page

    def link(found: re.Match[str]) -> str:
        hint = html.escape(links.get(found[1], ""))
        return f'<a href="{found[1]}" tabindex="-1"><title>{hint}</title>'

    text = re.sub(r'<a xlink:href="(#r\d+)"[^>]*>', link, text)  # matplotlib asks for a new window
    return text.replace("<svg ", f'<svg role="group" aria-label="{html.escape(label)}" ', 1)


def standing(text: str) -> str:
    """An SVG as a standalone file: its marks point into the page beside it."""
    return re.sub(r'<a xlink:href="(#r\d+)"[^>]*>', r'<a xlink:href="index.html\1">', text)


def png(drawn: Figure) -> bytes:
    """The figure as PNG."""
    file = io.BytesIO()
    drawn.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
