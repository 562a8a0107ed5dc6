"""The lines of the picture of a pipeline: straight to the next row of boxes, around the others beyond it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from .datapath_groups import DatapathGroup, Flow

#: Between two lines side by side.
_APART = 8.0
_STAGGER, _LEVELS = 3.0, 6  # between two lines in the gap between rows, and how many have one of their own
_REGISTERS, _WITHIN = "#3f6488", "#a3b1bd"


@dataclass(frozen=True)
class Box:
    """A group and where it is drawn."""

    group: DatapathGroup
    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.y + self.height


class _Kind(enum.Enum):
    """Where a line comes from and goes to."""

    READ = "from a bar"
    WRITE = "to a bar"
    WITHIN = "from box to box"


@dataclass(frozen=True)
class _Line:
    """From one point down to another; `around` the boxes between."""

    kind: _Kind
    begin: tuple[float, float]
    end: tuple[float, float]
    around: bool
    bits: int


def stage_lines(flow: Flow, boxes: list[Box], top: float, bottom: float, left: float, right: float) -> list[str]:
    """From the bar at `top`, between the boxes of a stage, to the bar at `bottom`.

    Parameters
    ----------
    flow : Flow
    boxes : list of Box
    top, bottom : float
    left, right : float
        Edges of the drawing.
    """
    if not boxes:
        middle = (left + right) / 2
        return [_path(f"M{_n(middle)},{_n(top)}V{_n(bottom)}", _Line(_Kind.READ, (0, 0), (0, 0), False, 1))]
    lines = list(_lines(flow, boxes, top, bottom))
    edges = min(box.x for box in boxes), max(box.x + box.width for box in boxes)
    middle = sum(edges) / 2
    sides: tuple[list[_Line], list[_Line]] = [], []
    found = []
    for line in lines:
        if line.around:
            sides[line.begin[0] + line.end[0] > 2 * middle].append(line)
        else:
            found.append(_curve(line))
    for side, outermost, sign in ((sides[0], left, -1), (sides[1], right, 1)):
        edge = edges[0] if sign < 0 else edges[1]
        apart = min(_APART, (abs(outermost - edge) - 10) / max(1, len(side)))
        found += [_detour(line, edge + sign * (10 + i * apart), i % _LEVELS) for i, line in enumerate(side)]
    return found


def _lines(flow: Flow, boxes: list[Box], top: float, bottom: float) -> Iterator[_Line]:
    rows = sorted({box.y for box in boxes})
    row_of = {box.group: rows.index(box.y) for box in boxes}
    for box in boxes:
        row, x = row_of[box.group], box.x
        if bits := flow.reads.get(box.group):
            at = x + box.width * 0.25
            yield _Line(_Kind.READ, (at, top), (at, box.y), row > 0, bits)
        if bits := flow.writes.get(box.group):
            at = x + box.width * 0.75
            yield _Line(_Kind.WRITE, (at, box.bottom), (at, bottom), row < len(rows) - 1, bits)
        for other in boxes:
            bits = flow.within.get((box.group, other.group))
            below = row_of[other.group] - row
            if bits and below > 0:
                ends = (x + box.width * 0.5, box.bottom), (other.x + other.width * 0.5, other.y)
                yield _Line(_Kind.WITHIN, *ends, below > 1, bits)


def _curve(line: _Line) -> str:
    (x0, y0), (x1, y1) = line.begin, line.end
    middle = (y0 + y1) / 2
    return _path(f"M{_n(x0)},{_n(y0)}C{_n(x0)},{_n(middle)} {_n(x1)},{_n(middle)} {_n(x1)},{_n(y1)}", line)


def _detour(line: _Line, channel: float, level: int) -> str:
    """Out to the side, down there, and back; at a bar, which is as wide as the drawing, it stays at the side."""
    (x0, y0), (x1, y1) = line.begin, line.end
    out, back = y0 + 6 + level * _STAGGER, y1 - 6 - level * _STAGGER
    leave = f"M{_n(x0)},{_n(y0)}V{_n(out)}H{_n(channel)}"
    arrive = f"V{_n(back)}H{_n(x1)}V{_n(y1)}"
    kind: _Kind = line.kind
    match kind:
        case _Kind.READ:
            return _path(f"M{_n(channel)},{_n(y0)}{arrive}", line)
        case _Kind.WRITE:
            return _path(f"{leave}V{_n(y1)}", line)
        case _Kind.WITHIN:
            return _path(f"{leave}{arrive}", line)
        case unknown:
            assert_never(unknown)


def _path(path: str, line: _Line) -> str:
    colour = _WITHIN if line.kind is _Kind.WITHIN else _REGISTERS
    thick = _n(1 + min(3.0, line.bits.bit_length() * 0.3))
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thick}" stroke-linejoin="round">'
        f"<title>{line.bits} bit{'' if line.bits == 1 else 's'}</title></path>"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
