"""The picture of a pipeline: stage below stage, the registers between as bars across."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from fpgen.rtl.pipeline import Pipeline
from fpgen.units import Unit

from .datapath_groups import Flow, Group

_WIDTH, _LEFT = 940, 84  # of the drawing, and where the boxes begin
_BAR, _GAP, _BOX = 26, 22, 40  # heights: of a bar, between things, of a box
_CHAR = 6.6  # width of a character, about


@dataclass(frozen=True)
class _Placed:
    """A box and where it is."""

    group: Group
    x: float
    y: float
    width: float
    lines: tuple[str, str]


def datapath_svg(unit: Unit, pipeline: Pipeline, flow: Flow) -> str:
    """The drawing."""
    inputs = ", ".join(f"{port.name} {port.width}" for port in unit.ports if port.travels_in)
    outputs = ", ".join(f"{port.name} {port.width}" for port in unit.ports if port.travels_out)
    lines: list[str] = []
    y = 4.0
    bars = [("inputs", _cut(inputs), False)]
    bars += [(f"rank {k}", rank_text(unit, pipeline, k), True) for k in range(1, pipeline.stages + 1)]
    bars.append(("outputs", _cut(outputs), False))
    for number, (label, text, held) in enumerate(bars):
        lines += _bar(y, label, text, held)
        y += _BAR
        if number <= pipeline.stages:
            boxes, end = _stage(flow, number, y + _GAP)
            lines += _links(flow, boxes, y, end)
            lines.append(f'<text x="6" y="{_n((y + end) / 2 + 4)}">stage {number}</text>')
            for box in boxes:
                lines += _box(box)
            y = end
    height = y + 4
    title = f"Datapath in {pipeline.stages + 1} stage{'s' if pipeline.stages else ''}"
    return (
        f'<svg role="img" width="{_WIDTH}" height="{_n(height)}" viewBox="0 0 {_WIDTH} {_n(height)}">'
        f"<title>{title}</title>\n" + "\n".join(lines) + "\n</svg>"
    )


def rank_text(unit: Unit, pipeline: Pipeline, rank: int) -> str:
    """What a boundary between two stages holds."""
    registers = pipeline.ranks[rank - 1]
    bits = sum(register.width for register in registers)
    text = f"{bits} bit{'' if bits == 1 else 's'} in {len(registers)} register{'' if len(registers) == 1 else 's'}"
    return text + (", and a valid bit" if unit.handshake.value != "none" else "")


def box_text(group: Group) -> str:
    """What is in a group."""
    if group.width:
        return f"register of the unit, {group.width} bits"
    return ", ".join(f"{count} {kind}" for kind, count in group.kinds)


def _cut(text: str) -> str:
    most = int((_WIDTH - _LEFT - 20) / _CHAR)
    return text if len(text) <= most else text[: most - 3] + "..."


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _bar(y: float, label: str, text: str, held: bool) -> list[str]:
    fill = "#2f4b66" if held else "#e9edf1"
    ink = "#ffffff" if held else "#1a1a1a"
    return [
        f'<rect x="{_LEFT}" y="{_n(y)}" width="{_WIDTH - _LEFT - 2}" height="{_BAR}" rx="3" fill="{fill}"/>',
        f'<text x="6" y="{_n(y + 17)}" font-weight="600">{label}</text>',
        f'<text x="{_LEFT + 10}" y="{_n(y + 17)}" fill="{ink}">{escape(text)}</text>',
    ]


def layers(flow: Flow, stage: int) -> list[list[Group]]:
    """The groups of a stage, those after the ones that they read; what is read of later ones does not count."""
    groups = [group for group in flow.groups if group.stage == stage]
    depth: dict[Group, int] = {}
    for group in groups:
        depth[group] = max((depth[other] + 1 for other in depth if (other, group) in flow.within), default=0)
    return [
        [group for group in groups if depth[group] == level] for level in range(max(depth.values(), default=-1) + 1)
    ]


def _stage(flow: Flow, stage: int, y: float) -> tuple[list[_Placed], float]:
    """The boxes of a stage, and where it ends."""
    placed: list[_Placed] = []
    for layer in layers(flow, stage):
        rows: list[list[tuple[Group, float, tuple[str, str]]]] = [[]]
        for group in layer:
            lines = group.title, box_text(group)
            width = max(map(len, lines)) * _CHAR + 20
            if rows[-1] and sum(w + _GAP for _, w, _ in rows[-1]) + width > _WIDTH - _LEFT - 12:
                rows.append([])
            rows[-1].append((group, width, lines))
        for row in rows:
            used = sum(width + _GAP for _, width, _ in row) - _GAP
            x = _LEFT + max(6.0, (_WIDTH - _LEFT - used) / 2)
            for group, width, lines in row:
                placed.append(_Placed(group, x, y, width, lines))
                x += width + _GAP
            y += _BOX + _GAP
    if not placed:
        y += _GAP / 2
    return placed, y


def _box(box: _Placed) -> list[str]:
    fill = "#dbe6f0" if box.group.width else "#ffffff"
    middle = box.x + box.width / 2
    return [
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_BOX}" rx="4" fill="{fill}" '
        'stroke="#1a1a1a"/>',
        f'<text x="{_n(middle)}" y="{_n(box.y + 16)}" text-anchor="middle" font-weight="600">'
        f"{escape(box.lines[0])}</text>",
        f'<text x="{_n(middle)}" y="{_n(box.y + 32)}" text-anchor="middle" fill="#595959">'
        f"{escape(box.lines[1])}</text>",
    ]


def _links(flow: Flow, boxes: list[_Placed], top: float, bottom: float) -> list[str]:
    """From the bar above, between the boxes, to the bar below; thicker for more bits. Boxes are drawn over them."""
    found = []
    for box in boxes:
        if bits := flow.reads.get(box.group):
            found.append(_link((box.x + box.width * 0.3, top), (box.x + box.width * 0.3, box.y), bits))
        if bits := flow.writes.get(box.group):
            found.append(_link((box.x + box.width * 0.7, box.y + _BOX), (box.x + box.width * 0.7, bottom), bits))
        for other in boxes:
            bits = flow.within.get((box.group, other.group))
            if bits and other.y > box.y:
                found.append(_link((box.x + box.width / 2, box.y + _BOX), (other.x + other.width / 2, other.y), bits))
    if not boxes:
        found.append(_link((_WIDTH / 2, top), (_WIDTH / 2, bottom), 1))
    return found


def _link(begin: tuple[float, float], end: tuple[float, float], bits: int) -> str:
    (x0, y0), (x1, y1) = begin, end
    bend = (y1 - y0) / 2
    path = f"M{_n(x0)},{_n(y0)}C{_n(x0)},{_n(y0 + bend)} {_n(x1)},{_n(y1 - bend)} {_n(x1)},{_n(y1)}"
    thick = _n(1 + min(5.0, bits.bit_length() * 0.5))
    return f'<path d="{path}" fill="none" stroke="#8fa6bb" stroke-width="{thick}"><title>{bits} bits</title></path>'
