"""From the groups of a Liberty text to a `Library`: units made one, tables by their templates, timing that STA uses."""

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fpgen.base.errors import UsageError

from .cells import Arc, Cell, InternalPower, Library, Pin, Setup
from .function import python_expression
from .liberty_text import LibertyGroup
from .liberty_words import (
    WIDEST_BUS,
    bundled,
    figure,
    flipflop,
    floats,
    is_true,
    numbered,
    numbers,
    scale_of,
    sense_of,
    shortest,
    words,
)
from .nldm import Floats, Table, same
from .wireload import WireLoad

# State of other kinds than a flip-flop's; a `test_cell` is not one.
_OTHER_STATES = ("latch", "statetable", "ff_bank", "latch_bank")
_SLEW_AXES = ("input_net_transition", "input_transition_time", "constrained_pin_transition")
_SKIPPED_KINDS = (
    "hold",
    "recovery",
    "removal",
    "clear",
    "preset",
    "min_pulse",
    "minimum_period",
    "skew",
    "non_seq",
    "nochange",
    "min_clock",
    "max_clock",
    "three_state_disable",
)
# What power and ground pins carry, by pg_type; of wells there are libraries that have the two the wrong way round.
_LEVELS = {
    "primary_power": "1",
    "backup_power": "1",
    "internal_power": "1",
    "primary_ground": "0",
    "backup_ground": "0",
    "internal_ground": "0",
}
# Names that Yosys, ABC and structural Verilog all carry.
_PLAIN_NAME = re.compile(r"[\w.$\[\]/:-]+")
_SECONDS = {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6}
_FARADS = {"ff": 1.0, "pf": 1e3, "nf": 1e6}
_OHMS = {"ohm": 1e-3, "kohm": 1.0, "mohm": 1e3}
_WATTS = {"pw": 1e-3, "nw": 1.0, "uw": 1e3, "mw": 1e6}


class Reader:
    """State while one tree is read: units, templates, and the axes that were seen before."""

    def __init__(self, tree: LibertyGroup, source: str, power: bool) -> None:
        self.tree = tree
        self.source = source
        self.power = power
        attributes = tree.attributes
        self.time = scale_of(attributes.get("time_unit", "1ns"), _SECONDS)
        self.cap = scale_of(attributes.get("capacitive_load_unit", "1,pf").replace('"', " ").replace(",", " "), _FARADS)
        self.volt = scale_of(attributes.get("voltage_unit", "1V"), {"v": 1.0, "mv": 1e-3})
        self.watt = scale_of(attributes.get("leakage_power_unit", "1nW"), _WATTS)
        self.templates = {
            word: group.attributes
            for group in tree.groups
            for word in group.words()
            if group.name in ("lu_table_template", "power_lut_template")
        }
        self.axes: dict[tuple[str, float], Floats] = {}

    def library(self, content_hash: str) -> Library:
        top = self.tree.attributes
        process, voltage, temperature = (
            shortest(top.get(f"nom_{name}", "?")) for name in ("process", "voltage", "temperature")
        )
        corner = f"process {process}, {voltage} V, {temperature} C"
        cells: dict[str, Cell] = {}
        notes = []
        for group in self.tree.named("cell"):
            cell = self._cell(group)
            odd = [word for word in (cell.name, *cell.pins) if not _PLAIN_NAME.fullmatch(word)]
            if odd:
                cell = replace(cell, dont_use=True)
                notes.append(f"nothing is mapped to the cell {cell.name!r} because of the name {odd[0]!r}")
            if cell.name not in cells:
                cells[cell.name] = cell
            elif same(cell, cells[cell.name]):
                notes.append(
                    f"the library has the cell {cell.name} more than once, with the same content; it counts once"
                )
            else:
                raise UsageError(f"{self.source}: cell {cell.name}: got two of that name that differ; expected one")
        name = (self.tree.words() or [Path(self.source).name])[0]
        if not cells:
            raise UsageError(f"{self.source}: the library {name} has no cells")
        return Library(
            name,
            self.source,
            content_hash,
            corner,
            cells,
            self._voltage(),
            self._wire_loads(),
            max_slew=figure(self.tree, "default_max_transition", "0") * self.time,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _voltage(self) -> float:
        """Nominal supply in V."""
        if "nom_voltage" not in self.tree.attributes:
            return math.nan
        return figure(self.tree, "nom_voltage", "") * self.volt

    def _wire_loads(self) -> dict[str, WireLoad]:
        """The wire load models that state a length for some fanout."""
        kohm = scale_of(self.tree.attributes.get("pulling_resistance_unit", "1kohm"), _OHMS)
        found = {}
        for group in self.tree.named("wire_load"):
            given = {key: figure(group, key, "0") for key in ("slope", "capacitance", "resistance")}
            points = sorted(tuple(numbers(text, "fanout_length"))[:2] for text in group.every("fanout_length"))
            if points and all(len(point) == 2 and point[0] > 0 for point in points):
                name = (group.words() or [""])[0]
                found[name] = WireLoad(
                    name,
                    tuple((fanout, length) for fanout, length in points),
                    given["slope"],
                    given["capacitance"] * self.cap,
                    given["resistance"] * kohm,
                )
        return found

    def _cell(self, group: LibertyGroup) -> Cell:
        name = (group.words() or [""])[0]
        pins: dict[str, Pin] = {}
        arcs: list[Arc] = []
        setups: list[Setup] = []
        power: list[InternalPower] = []
        try:
            buses = self._buses(group)
            members = {word: pins_of for word, (_, pins_of) in buses.items()}
            for word, item in (*((word, pin) for pin in group.named("pin") for word in pin.words()), *bundled(buses)):
                pins[word] = self._pin(word, item)
                for timing in item.named("timing"):
                    try:
                        self._timing(word, pins[word], timing, arcs, setups, members)
                    except ValueError as error:
                        raise ValueError(f"pin {word}: {error}") from None
                power += [self._power(word, entry) for entry in item.named("internal_power")]
            area = figure(group, "area", "0", least=0.0)
            leakage = self._leakage(group)
            leakages = self._leakages(group) if self.power else ()
        except ValueError as error:
            raise UsageError(f"{self.source}: cell {name}: {error}") from None
        unused = any(is_true(group, key) for key in ("dont_use", "pad_cell")) or bool(group.named("bus"))
        supplies = {
            word: _LEVELS.get(item.attributes.get("pg_type", ""), "")
            for item in group.named("pg_pin")
            for word in item.words()
        }
        return Cell(
            name,
            area,
            leakage,
            unused,
            pins,
            tuple(arcs),
            tuple(setups),
            flipflop(group),
            any(group.named(kind) for kind in _OTHER_STATES),
            tuple(power),
            leakages,
            any("three_state" in item.attributes for item in group.named("pin")),
            supplies,
            {word: pins_of[::-1] for word, pins_of in members.items()},
        )

    def _buses(self, cell: LibertyGroup) -> dict[str, tuple[LibertyGroup, tuple[str, ...]]]:
        """The buses and bundles of a cell: the group of each, and the pins it stands for, in the order of the text."""
        types = {word: item for place in (self.tree, cell) for item in place.named("type") for word in item.words()}
        found = {
            word: (item, tuple(re.findall(r"[^\s,\"]+", item.attributes.get("members", ""))))
            for item in cell.named("bundle")
            for word in item.words()
        }
        for item in cell.named("bus"):
            named = item.attributes.get("bus_type", "")
            if named not in types:
                raise ValueError(
                    f"the bus {' '.join(item.words())}: got the type {named!r}; expected one of "
                    f"{', '.join(types) or '(the library has no types)'}"
                )
            first, last = (int(figure(types[named], key, "")) for key in ("bit_from", "bit_to"))
            if abs(first - last) >= WIDEST_BUS:
                raise ValueError(f"the type {named!r}: got {abs(first - last) + 1} bits; expected at most {WIDEST_BUS}")
            numbers = range(first, last - 1, -1) if first >= last else range(first, last + 1)
            found.update({word: (item, tuple(f"{word}[{number}]" for number in numbers)) for word in item.words()})
        return found

    def _pin(self, name: str, group: LibertyGroup) -> Pin:
        given = group.attributes
        default = self.tree.attributes.get("default_input_pin_cap", "0")
        direction = given.get("direction", "input")
        plain = str(figure(group, "capacitance", default if direction == "input" else "0"))
        caps, plain_caps = [], []
        for edge in ("rise", "fall"):
            value = figure(group, f"{edge}_capacitance", plain)
            plain_caps.append(value * self.cap)
            limits = numbers(given.get(f"{edge}_capacitance_range", ""), f"{edge}_capacitance_range")
            caps.append(max(limits, default=value))
        function = given.get("function", "")
        if function:
            python_expression(function)
        return Pin(
            name,
            direction,
            caps[0] * self.cap,
            caps[1] * self.cap,
            function,
            is_true(group, "clock"),
            figure(group, "max_capacitance", "0") * self.cap,
            given.get("three_state", ""),
            max_slew=figure(group, "max_transition", "0") * self.time,
            plain_caps=(plain_caps[0], plain_caps[1]),
        )

    def _timing(
        self,
        word: str,
        pin: Pin,
        group: LibertyGroup,
        arcs: list[Arc],
        setups: list[Setup],
        buses: Mapping[str, Sequence[str]],
    ) -> None:
        given = group.attributes
        kind = given.get("timing_type", "combinational")
        if kind.startswith(_SKIPPED_KINDS):
            return
        tables = {table.name: table for table in group.groups}
        named = f"{given.get('related_pin', '')} {given.get('related_bus_pins', '')}".replace(",", " ").split()
        all_related = [pin for name in named for pin in buses.get(name) or numbered(name)]
        if kind.startswith("setup"):
            rise, fall = (
                self._table(tables.get(f"{edge}_constraint"), self.time, self.time) for edge in ("rise", "fall")
            )
            setups += [
                Setup(word, related, kind.removeprefix("setup_"), rise, fall, given.get("when", ""))
                for related in all_related
            ]
            return
        delays = [
            self._table(tables.get(name), self.cap, self.time)
            for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
        ]
        for related in all_related:
            sense = given.get("timing_sense") or sense_of(pin.function, related)
            arcs.append(Arc(related, word, sense, kind, given.get("when", ""), *delays))

    def _power(self, word: str, group: LibertyGroup) -> InternalPower:
        energy = self.cap * self.volt * self.volt
        tables = {table.name: table for table in group.groups}
        both = tables.get("power")
        rise, fall = (self._table(tables.get(name, both), self.cap, energy) for name in ("rise_power", "fall_power"))
        return InternalPower(
            word,
            group.attributes.get("related_pin", ""),
            group.attributes.get("when", ""),
            rise,
            fall,
            group.attributes.get("related_pg_pin", ""),
        )

    def _leakage(self, group: LibertyGroup) -> float:
        """The cell's stated leakage, else the mean over its states."""
        states: dict[str, list[float]] = {}
        for item in group.named("leakage_power"):
            supply = item.attributes.get("related_pg_pin", "")
            states.setdefault(supply, []).append(figure(item, "value", "0"))
        if "cell_leakage_power" in group.attributes or not states:
            default = figure(self.tree, "default_cell_leakage_power", "0")
            return figure(group, "cell_leakage_power", str(default)) * self.watt
        return max(sum(values) / len(values) for values in states.values()) * self.watt

    def _leakages(self, group: LibertyGroup) -> tuple[tuple[str, float], ...]:
        """Leakage in nW of each state (`when`, empty for a cell that has one figure), its supplies summed."""
        states: dict[str, float] = {}
        for item in group.named("leakage_power"):
            when = item.attributes.get("when", "")
            states[when] = states.get(when, 0.0) + figure(item, "value", "0") * self.watt
        return tuple(states.items())

    def _table(self, group: LibertyGroup | None, other: float, scale: float) -> Table | None:
        """A table in ps (or fJ); `other` scales its second axis."""
        if group is None or "values" not in group.attributes:
            return None
        given = group.attributes
        named = (group.words() or ["scalar"])[0]
        template = self.templates.get(named, {})
        rows = [row for part in given["values"].split('"') if (row := part.replace(",", " ").split())]
        values = self._scaled(itertools.chain.from_iterable(rows), scale, f"table {group.name}")
        axes: list[Floats] = [np.zeros(1), np.zeros(1)]
        order: list[bool] = []
        for k in (1, 2, 3):
            index = given.get(f"index_{k}") or template.get(f"index_{k}")
            variable = template.get(f"variable_{k}")
            if index is None or (variable is None and k > 2):
                continue
            first = variable in _SLEW_AXES if variable is not None else k == 1
            if k == 3 or len(order) == 2:
                raise ValueError(f"table {group.name} has more than two axes")
            axes[0 if first else 1] = self._axis(index, self.time if first else other)
            order.append(first)
        if len(order) == 2 and order[0] == order[1]:
            raise ValueError(f"table {group.name} has the same axis twice")
        if values.size > 1 and not order and not template:
            raise ValueError(f"table {group.name} follows the template {named!r}, which the library does not have")
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise ValueError(
                f"table {group.name}: got rows of {', '.join(str(len(row)) for row in rows)} values; "
                "expected rows of one length"
            )
        if values.size != len(axes[0]) * len(axes[1]):
            raise ValueError(f"table {group.name} has {values.size} values for {len(axes[0])} x {len(axes[1])} points")
        shape = [len(axes[0 if first else 1]) for first in order]
        if len(order) == 2 and len(rows) > 1 and lengths[0] > 1 and [len(rows), lengths[0]] != shape:
            raise ValueError(
                f"table {group.name}: got {len(rows)} rows of {lengths[0]} values; "
                f"expected {shape[0]} rows of {shape[1]}"
            )
        if len(order) == 2 and not order[0]:
            return Table(axes[0], axes[1], np.ascontiguousarray(values.reshape(len(axes[1]), len(axes[0])).T))
        return Table(axes[0], axes[1], values.reshape(len(axes[0]), len(axes[1])))

    def _axis(self, text: str, scale: float) -> Floats:
        key = (text, scale)
        if key not in self.axes:
            axis = self._scaled(words(text), scale, "an axis")
            if axis.size == 0 or not (np.diff(axis) > 1e-9).all():
                raise ValueError(f"the axis {text[:60]!r} does not rise")
            self.axes[key] = axis
        return self.axes[key]

    @staticmethod
    def _scaled(words: Iterable[str], scale: float, what: str) -> Floats:
        with np.errstate(over="ignore"):
            found = np.array(floats(words, what)) * scale
        if not np.isfinite(found).all():
            raise ValueError(f"{what} has a value that is not finite")
        return found
