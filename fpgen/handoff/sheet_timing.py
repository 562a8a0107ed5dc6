"""The section on timing: latency, handshake, stall, clock enable, flush and reset, with waves for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from fpgen.units import Handshake, Unit
from fpgen.units.register_options import MEANINGS as REGISTER_OPTIONS
from fpgen.units.register_options import reset_port

from .sheet_model import Figure, Paragraph, Section
from .timing_waves import Lane, Surroundings, shown_clocks, waves
from .wave_svg import wave_svg

_COLOURS = "3456789"


@dataclass(frozen=True)
class Scenario:
    """One drawing: what is around the unit, and what is to be seen."""

    title: str
    caption: str
    around: Surroundings


def timing(unit: Unit) -> Section:
    """Text and waves."""
    figures = [_figure(unit, scenario) for scenario in scenarios(unit)]
    legend = "The number in a box is that of the operation; grey is a value that means nothing."
    if unit.stateful:
        legend += " The result of an operation is the sum with its product."
    return Section("Timing", (Paragraph(_text(unit)), Paragraph(legend), *figures))


def _text(unit: Unit) -> str:
    if not unit.clocked:
        text = "Combinational: no clock, latency 0."
        if unit.handshake is not Handshake.NONE:
            text += " `out_valid` is `in_valid`."
        return text + (" `in_ready` is `out_ready`." if unit.handshake.back_pressure else "")
    text = f"Latency {unit.latency} clock{'s' if unit.latency > 1 else ''}; a new operation every clock."
    if unit.handshake is Handshake.VALID:
        text += " `in_valid` appears as `out_valid` together with its result, which must be taken in that clock."
    elif unit.handshake.back_pressure:
        text += (
            " A transfer happens at a clock edge where valid and ready are both high; when `out_ready` is low the"
            " unit holds, and nothing is lost or repeated."
        )
    elif not unit.enable:
        text += " It cannot be stalled: every result must be taken in its clock."
    for name in ("enable", "flush", "tag"):
        if getattr(unit, name):
            text += f" {REGISTER_OPTIONS[name]}"
    return text


def scenarios(unit: Unit) -> Iterator[Scenario]:
    """The drawings that a unit has."""
    latency = unit.latency
    after = latency + 4
    few = frozenset({0, 1, 2})
    when = f"{latency} clock{'' if latency == 1 else 's'} later" if unit.clocked else "at once, after its delay"
    yield Scenario("Latency", f"Three operations in a row; each result is there {when}.", Surroundings(after, few))
    if unit.handshake is not Handshake.NONE:
        gaps = frozenset({0, 2, 3})
        text = "Operations with gaps: `out_valid` has the gaps of `in_valid`."
        if unit.handshake.back_pressure:
            text += " `out_ready` is high, and with it `in_ready`."
        yield Scenario("Handshake", text, Surroundings(after + 1, gaps))
    if unit.handshake.back_pressure:
        held = frozenset(range(latency + 1, latency + 4))
        text = (
            "`out_ready` is low for three clocks with the unit full: the result stays, `in_ready` is low, and the "
            "operation that waits at the inputs is taken afterwards."
        )
        if not unit.clocked:
            text = "`out_ready` is low, and with it `in_ready`: the operation waits at the inputs."
        yield Scenario("Stall", text, Surroundings(latency + 8, frozenset(range(latency + 8)), held))
    if unit.enable:
        text = "`enable` is low for two clocks: nothing is taken, and everything comes two clocks later."
        if unit.handshake is not Handshake.NONE:
            text += " `out_valid` is low meanwhile."
        yield Scenario("Clock enable", text, Surroundings(after + 2, few, stopped=frozenset({2, 3})))
    if unit.flush:
        offered = frozenset({0, 1, 2, 3})
        lost = "is not taken until it is over" if unit.handshake.back_pressure else "is dropped as well"
        text = f"`flush` drops what is inside; what is offered in that clock {lost}."
        yield Scenario("Flush", text, Surroundings(after + 2, offered, flushed=frozenset({2})))
    reset = reset_port(unit)
    if reset is not None:
        at = "at once" if reset.asynchronous else "at the next clock edge"
        text = f"`{reset.name}` in the middle of things: the valid bits are cleared {at}."
        yield Scenario("Reset", text, Surroundings(after + 2, frozenset({0, 1, 3}), reset=frozenset({2})))


def _figure(unit: Unit, scenario: Scenario) -> Figure:
    lanes = waves(unit, scenario.around)
    clocks = shown_clocks(unit, range(scenario.around.clocks))
    source = _wave_json(unit, lanes, clocks)
    return Figure(
        scenario.title, scenario.caption, wave_svg(source, scenario.title), _characters(unit, lanes, clocks), source
    )


def _wave_json(unit: Unit, lanes: tuple[Lane, ...], clocks: list[int | None]) -> str:
    """The waves as WaveDrom takes them, a lane a line."""
    signals: list[dict[str, object]] = []
    if unit.clocked:
        signals.append({"name": "clk", "wave": "p" + "".join("|" if clock is None else "." for clock in clocks[1:])})
    for lane in lanes:
        wave, data, before = "", [], object()
        for clock in clocks:
            value = before if clock is None else lane.values[clock]
            if clock is None:
                wave += "|"
            elif value == before:
                wave += "."
            elif not lane.carries:
                wave += str(value)
            elif value is None:
                wave += "x"
            else:
                assert isinstance(value, int)
                wave += _COLOURS[(value - 1) % len(_COLOURS)]
                data.append(str(value))
            before = value
        signals.append({"name": lane.port.name, "wave": wave, **({"data": data} if data else {})})
    return '{"signal": [\n  ' + ",\n  ".join(map(json.dumps, signals)) + "\n]}"


def _characters(unit: Unit, lanes: tuple[Lane, ...], clocks: list[int | None]) -> str:
    """The waves as columns of characters."""
    heading = "clock" if unit.clocked else "time"
    rows = [(heading, ["..." if clock is None else str(clock) for clock in clocks])]
    for lane in lanes:
        cells = ["..." if clock is None else "-" if (value := lane.values[clock]) is None else str(value)
                 for clock in clocks]  # fmt: skip
        rows.append((lane.port.name, cells))
    wide = max(len(name) for name, _ in rows)
    column = max(len(cell) for _, cells in rows for cell in cells)
    return "\n".join(f"{name:<{wide}}  " + " ".join(f"{cell:>{column}}" for cell in cells) for name, cells in rows)
