"""WaveJSON as SVG: the part of it that the datasheets use.

It is not done by the library that there is, `wavedrom` of PyPI: each of its drawings is 47 KB, most of it the same
symbols again, under the same `id` in every drawing, so that two of them cannot be in one HTML file; and it brings
svgwrite, PyYAML and six with it, of which the first is not developed any more. A datasheet has up to six drawings.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

_COLUMN, _ROW, _LEVEL = 38, 28, 18  # width of a clock, distance of lanes, height of a level
_SLOPE = 4
_TOP = 22
#: Fill of a box, by the character that stands for it; those of WaveDrom.
_FILL = {
    "x": "#e4e4e1", "2": "#ffffff", "3": "#fff3b0", "4": "#ffdcb3", "5": "#cfe4f7", "6": "#c9efe8", "7": "#d9f0c9",
    "8": "#e2d8f3", "9": "#f8d3de",
}  # fmt: skip
_LINE = 'fill="none" stroke="#1a1a1a" stroke-width="1.3"'


def wave_svg(source: str, title: str) -> str:
    """The drawing of one WaveJSON text.

    Parameters
    ----------
    source : str
        With the waves ``p``, ``0``, ``1``, ``x``, ``2`` to ``9``, ``.`` and ``|``.
    title : str
        For those who cannot see it.
    """
    described = json.loads(source)
    lanes = described["signal"]
    columns = max(len(lane["wave"]) for lane in lanes)
    left = 16 + max(len(lane["name"]) for lane in lanes) * 7.4
    width, height = left + columns * _COLUMN + 8, _TOP + len(lanes) * _ROW + 4
    parts = [_grid(left, columns, height, lanes[0]["wave"])]
    for number, lane in enumerate(lanes):
        y = _TOP + number * _ROW + (_ROW - _LEVEL) / 2
        parts.append(
            f'<text class="mono" x="{_n(left - 8)}" y="{_n(y + _LEVEL - 5)}" text-anchor="end">'
            f"{escape(lane['name'])}</text>"
        )
        parts += _lane(lane, left, y)
    parts += [_gap(left + i * _COLUMN, height) for i, char in enumerate(lanes[0]["wave"]) if char == "|"]
    return (
        f'<svg role="img" width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}">'
        f"<title>{escape(title)}</title>\n" + "\n".join(parts) + "\n</svg>"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _grid(left: float, columns: int, height: float, wave: str) -> str:
    lines = "".join(f"M{_n(left + i * _COLUMN)},{_TOP - 4}V{_n(height)}" for i in range(columns + 1))
    return f'<path d="{lines}" fill="none" stroke="#c4c4c4" stroke-dasharray="2 3"/>'


def _lane(lane: dict[str, Any], left: float, y: float) -> list[str]:
    wave, data = lane["wave"], list(lane.get("data", []))
    if wave[0] == "p":
        return [_clock(wave, left, y)]
    runs: list[tuple[str, int, int]] = []  # character, first column, column after the last
    for i, char in enumerate(wave):
        if char in ".|":
            runs[-1] = (*runs[-1][:2], i + 1)
        else:
            runs.append((char, i, i + 1))
    gaps = [i for i, char in enumerate(wave) if char == "|"]
    if runs[0][0] in "01":
        return [_levels(runs, left, y)]
    parts = []
    for run in runs:
        shown = min((gap for gap in gaps if run[1] < gap < run[2]), default=run[2])  # what is seen of it in one piece
        middle = left + (run[1] + shown) / 2 * _COLUMN
        parts.append(_box(run, left, y) + (_label(middle, y, data.pop(0)) if run[0] != "x" else ""))
    return parts


def _clock(wave: str, left: float, y: float) -> str:
    path, half = f"M{_n(left)},{_n(y + _LEVEL)}", _COLUMN / 2
    for i, char in enumerate(wave):
        x = left + i * _COLUMN
        if char != "|":
            path += f"V{_n(y)}H{_n(x + half)}V{_n(y + _LEVEL)}"
        path += f"H{_n(x + _COLUMN)}"
    return f'<path d="{path}" {_LINE}/>'


def _levels(runs: list[tuple[str, int, int]], left: float, y: float) -> str:
    path = ""
    for char, begin, end in runs:
        at = y if char == "1" else y + _LEVEL
        x = left + begin * _COLUMN
        path += f"L{_n(x + _SLOPE)},{_n(at)}" if path else f"M{_n(x)},{_n(at)}"
        path += f"H{_n(left + end * _COLUMN)}"
    return f'<path d="{path}" {_LINE}/>'


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{_n(x)}" y="{_n(y + _LEVEL - 5)}" text-anchor="middle">{escape(text)}</text>'


def _box(run: tuple[str, int, int], left: float, y: float) -> str:
    char, begin, end = run
    x0, x1, low = left + begin * _COLUMN, left + end * _COLUMN, y + _LEVEL
    middle = y + _LEVEL / 2
    shape = (
        f"M{_n(x0)},{_n(middle)}L{_n(x0 + _SLOPE)},{_n(y)}H{_n(x1 - _SLOPE)}L{_n(x1)},{_n(middle)}"
        f"L{_n(x1 - _SLOPE)},{_n(low)}H{_n(x0 + _SLOPE)}Z"
    )
    return f'<path d="{shape}" fill="{_FILL[char]}" stroke="#1a1a1a"/>'


def _gap(x: float, height: float) -> str:
    """Two wavy lines across all lanes, with nothing between them: clocks that are left out."""
    middle = x + _COLUMN / 2
    band = f"M{_n(middle - 3)},{_TOP - 4}L{_n(middle + 3)},{_TOP - 4}V{_n(height)}H{_n(middle - 3)}Z"
    edges = "".join(f"M{_n(middle + side)},{_TOP - 4}V{_n(height)}" for side in (-3, 3))
    return f'<path d="{band}" fill="#fff"/><path d="{edges}" fill="none" stroke="#8a8a8a"/>'
