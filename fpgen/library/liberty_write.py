"""A library as the Liberty text that Yosys and ABC map with, written from what fpgen has read.

Yosys and ABC each read their own subset of Liberty. Legal text outside of it stops them, or they take something
else than is written: an unquoted function in parentheses, two pins in one group, a group's brace on the next line, a
unit `(0.001, pf)` or `1 ps`, tables without axes or with the load first, `dont_use : false`. So they never see the
source: they get this text. It has one spelling for each thing, and two sources that mean the same give the same text:

- units of 1 ps and 1 fF (those that ABC computes in, so that it scales nothing) and 1 nW; nine digits (ABC computes
  in single precision);
- gates and flip-flops that may be used, in the library's order, without tables of power;
- functions by `fpgen.library.function.canonical`;
- tables of slew by load, of at least four points each way.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from .cells import Arc, Cell, FlipFlop, Library, Pin, Setup
from .function import canonical, python_expression
from .nldm import Floats, Table

# ABC takes a cell's drive from points inside its tables: it divides by zero where there are fewer.
_FEWEST = 4
_DIRECTIONS = ("input", "output", "inout", "internal")
_DELAY = ("input_net_transition", "total_output_net_capacitance")
_CHECK = ("constrained_pin_transition", "related_pin_transition")


def to_text(library: Library) -> str:
    """The gates and flip-flops of a library that may be used, as Liberty text."""
    return _Writer(library).text()


def mapped_to(library: Library) -> list[Cell]:
    """The cells that are in the text: usable gates and flip-flops with timing."""
    return [
        cell
        for cell in library.usable()
        if not cell.untimed
        and not cell.three_state
        and not cell.latch
        and (_is_gate(cell) or _is_register(cell))
        and all(pin.direction in _DIRECTIONS for pin in cell.pins.values())
    ]


def _is_gate(cell: Cell) -> bool:
    inputs = set(cell.inputs)
    return (
        cell.flipflop is None
        and bool(cell.outputs)
        and all(
            function and inputs.issuperset(python_expression(function)[1])
            for function in (cell.pins[pin].function for pin in cell.outputs)
        )
    )


def _is_register(cell: Cell) -> bool:
    kept = cell.flipflop
    if kept is None or not cell.keeps_data or not cell.outputs:
        return False
    named = {*cell.inputs, kept.state, kept.inverse}
    try:
        return all(
            named.issuperset(python_expression(text)[1])
            for text in (kept.clocked_on, kept.next_state, kept.clear, kept.preset)
            if text
        )
    except ValueError:
        return False


class _Writer:
    """One text while it grows: templates are numbered as tables come to need them."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.templates: dict[tuple[tuple[str, str], str, str], str] = {}
        # By the id of an axis: the axis itself (so that its id stays its own), the points to write, and their text.
        self.points: dict[int, tuple[Floats, Floats, str]] = {}
        self.formats: dict[int, str] = {}

    def text(self) -> str:
        cells = [line for cell in mapped_to(self.library) for line in self._cell(cell)]
        name = re.sub(r"[^\w.-]", "_", self.library.name)
        slew = [f"  default_max_transition : {_number(self.library.max_slew)};"] if self.library.max_slew else []
        templates = [
            f'  lu_table_template ("{name}") {{ variable_1 : "{names[0]}"; variable_2 : "{names[1]}"; '
            f'index_1 ("{x}"); index_2 ("{y}"); }}'
            for (names, x, y), name in self.templates.items()
        ]
        return "\n".join(
            [
                f'library ("{name}") {{',
                '  delay_model : "table_lookup";',
                '  time_unit : "1ps";',
                "  capacitive_load_unit (1, ff);",
                '  leakage_power_unit : "1nW";',
                *slew,
                *templates,
                *cells,
                "}",
                "",
            ]
        )

    def _cell(self, cell: Cell) -> list[str]:
        lines = [
            f'  cell ("{cell.name}") {{',
            f"    area : {cell.area!r};",
            f"    cell_leakage_power : {_number(cell.leakage)};",
        ]
        kept = cell.flipflop
        if kept is not None:
            given = {
                "clocked_on": kept.clocked_on,
                "next_state": kept.next_state,
                "clear": kept.clear,
                "preset": kept.preset,
            }
            lines += [
                f'    ff ("{kept.state}", "{kept.inverse}") {{',
                *(f'      {key} : "{canonical(text)}";' for key, text in given.items() if text),
                "    }",
            ]
        for pin in cell.pins.values():
            if pin.direction in ("input", "output"):  # others are internal nodes, or supplies: no net is at them
                lines += [
                    *_pin(pin, kept),
                    *self._arcs([arc for arc in cell.arcs if arc.pin == pin.name]),
                    *self._setups([setup for setup in cell.setups if setup.pin == pin.name]),
                    "    }",
                ]
        return [*lines, "  }"]

    def _arcs(self, arcs: Sequence[Arc]) -> list[str]:
        lines = []
        for arc in arcs:
            if (arc.rise_delay or arc.fall_delay) and (arc.rise_slew or arc.fall_slew):
                given = {
                    "cell_rise": arc.rise_delay,
                    "cell_fall": arc.fall_delay,
                    "rise_transition": arc.rise_slew,
                    "fall_transition": arc.fall_slew,
                }
                lines += [
                    "      timing () {",
                    f'        related_pin : "{arc.related}";',
                    f'        timing_sense : "{arc.sense}";',
                    f'        timing_type : "{arc.kind}";',
                    *(self._table(name, table, _DELAY) for name, table in given.items() if table is not None),
                    "      }",
                ]
        return lines

    def _setups(self, setups: Sequence[Setup]) -> list[str]:
        lines = []
        for setup in setups:
            given = {"rise_constraint": setup.rise, "fall_constraint": setup.fall}
            lines += [
                "      timing () {",
                f'        related_pin : "{setup.related}";',
                f'        timing_type : "setup_{setup.edge}";',
                *(self._table(name, table, _CHECK) for name, table in given.items() if table is not None),
                "      }",
            ]
        return lines

    def _table(self, name: str, table: Table, variables: tuple[str, str]) -> str:
        """A table of two axes of enough points each: the same function."""
        (x, first), (y, second) = self._axis(table.x), self._axis(table.y)
        values = (
            table.values.tolist()
            if (len(x), len(y)) == table.values.shape
            else [[table.at(p, q) for q in y] for p in x]
        )
        template = self.templates.setdefault((variables, first, second), f"t{len(self.templates)}")
        rows = ", ".join([f'"{self._row(row)}"' for row in values])
        return f'        {name} ("{template}") {{ values ({rows}); }}'

    def _axis(self, axis: Floats) -> tuple[Floats, str]:
        """The axis, with points between its own, or beyond a single one, until there are enough; and its text."""
        found = self.points.get(id(axis))
        if found is None:
            points = axis[0] + np.array([0.0, 25.0, 50.0, 100.0]) if len(axis) == 1 else axis
            while len(points) < _FEWEST:
                points = np.sort(np.concatenate([points, (points[1:] + points[:-1]) / 2]))
            found = self.points[id(axis)] = (axis, points, self._row(points.tolist()))
        return found[1:]

    def _row(self, numbers: Sequence[float]) -> str:
        """The numbers in one go: a large library has millions."""
        size = len(numbers)
        if size not in self.formats:
            self.formats[size] = ", ".join(["%.9g"] * size)
        return self.formats[size] % tuple(numbers)


def _pin(pin: Pin, kept: FlipFlop | None) -> list[str]:
    lines = [f'    pin ("{pin.name}") {{', f'      direction : "{pin.direction}";']
    limits: Iterable[tuple[str, float]] = (("max_capacitance", pin.max_cap), ("max_transition", pin.max_slew))
    if pin.direction == "input":
        rise, fall = pin.plain_caps
        lines += [
            f"      capacitance : {_number(max(rise, fall))};",
            f"      rise_capacitance : {_number(rise)};",
            f"      fall_capacitance : {_number(fall)};",
        ]
    elif pin.function:
        lines.append(f'      function : "{_output(pin.function, kept)}";')
    return lines + [f"      {key} : {_number(limit)};" for key, limit in limits if limit]


def _output(function: str, kept: FlipFlop | None) -> str:
    """The function of an output; Yosys takes a flip-flop's only as the bare name of its state or inverted state."""
    text = canonical(function)
    if kept is not None and kept.state and kept.inverse and not (kept.clear and kept.preset):
        return {f"!{kept.state}": kept.inverse, f"!{kept.inverse}": kept.state}.get(text, text)
    return text


def _number(value: float) -> str:
    return f"{value:.9g}"
