"""The picture of a pipeline: stage below stage, the registers between as bars across."""

from __future__ import annotations

from html import escape

from fpgen.rtl.pipeline import Pipeline
from fpgen.units import Handshake, Unit

from .datapath_groups import DatapathGroup, Flow
from .datapath_lines import Box, stage_lines

_WIDTH, _LEFT = 940, 84  # of the drawing, and where the boxes begin
_SIDE = 80.0  # room for lines beside the boxes
_BAR, _GAP, _BOX = 26, 30, 40  # heights: of a bar, between things, of a box
_CHAR, _BOLD = 6.6, 7.4  # widths of a character, about


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
            lines += stage_lines(flow, boxes, y, end, _LEFT, _WIDTH - 2)
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
    for state in pipeline.graph.states:
        if pipeline.stage_of(state) == rank - 1:
            text += f", {state.value} {state.width}"
    return text + (", and a valid bit" if unit.handshake is not Handshake.NONE else "")


def box_text(group: DatapathGroup) -> str:
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


def layers(flow: Flow, stage: int) -> list[list[DatapathGroup]]:
    """The groups of a stage, those after the ones that they read; what is read of later ones does not count."""
    groups = [group for group in flow.groups if group.stage == stage]
    depth: dict[DatapathGroup, int] = {}
    for group in groups:
        depth[group] = max((depth[other] + 1 for other in depth if (other, group) in flow.within), default=0)
    return [
        [group for group in groups if depth[group] == level] for level in range(max(depth.values(), default=-1) + 1)
    ]


def _stage(flow: Flow, stage: int, y: float) -> tuple[list[Box], float]:
    """The boxes of a stage, and where it ends."""
    placed: list[Box] = []
    for layer in layers(flow, stage):
        rows: list[list[tuple[DatapathGroup, float]]] = [[]]
        for group in layer:
            width = max(len(group.title) * _BOLD, len(box_text(group)) * _CHAR) + 20
            if rows[-1] and sum(w + _GAP for _, w in rows[-1]) + width > _WIDTH - _LEFT - 2 * _SIDE:
                rows.append([])
            rows[-1].append((group, width))
        for row in rows:
            used = sum(width + _GAP for _, width in row) - _GAP
            x = _LEFT + max(_SIDE, (_WIDTH - _LEFT - used) / 2)
            for group, width in row:
                placed.append(Box(group, x, y, width, _BOX))
                x += width + _GAP
            y += _BOX + _GAP
    if not placed:
        y += _GAP / 2
    return placed, y


def _box(box: Box) -> list[str]:
    fill = "#dbe6f0" if box.group.width else "#ffffff"
    middle = box.x + box.width / 2
    return [
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_BOX}" rx="4" fill="{fill}" '
        'stroke="#1a1a1a"/>',
        f'<text x="{_n(middle)}" y="{_n(box.y + 16)}" text-anchor="middle" font-weight="600">'
        f"{escape(box.group.title)}</text>",
        f'<text x="{_n(middle)}" y="{_n(box.y + 32)}" text-anchor="middle" fill="#595959">'
        f"{escape(box_text(box.group))}</text>",
    ]
