"""What a cell library says, in one set of units: ps, fF, um2, nW, fJ."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fpgen.base.errors import RunFailure, UsageError

from .nldm import Table
from .wireload import WireLoad

# What messages call the gates that mapping cannot do without.
_GATES = {(1, 0b01): "inverter", (2, 0b0111): "two-input NAND"}


#: fF at each output where nothing else is stated.
DEFAULT_LOAD_FF = 4.0
#: Buffers that a message lists.
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Arc:
    """A timing arc from an input pin to an output pin.

    Attributes
    ----------
    related, pin : str
        From and to.
    sense : str
        `positive_unate`, `negative_unate` or `non_unate`.
    kind : str
        Liberty's timing_type: `combinational`, `rising_edge`, `falling_edge`, ...
    when : str
        Condition of a state-dependent arc, or empty.
    rise_delay, fall_delay, rise_slew, fall_slew : Table or None
        Of the output's rising and falling edge.
    """

    related: str
    pin: str
    sense: str
    kind: str
    when: str
    rise_delay: Table | None
    fall_delay: Table | None
    rise_slew: Table | None
    fall_slew: Table | None


@dataclass(frozen=True, eq=False)
class Setup:
    """A setup check of data pin `pin` before an edge (`rising`, `falling`) of clock pin `related`, under `when`."""

    pin: str
    related: str
    edge: str
    rise: Table | None
    fall: Table | None
    when: str = ""


@dataclass(frozen=True, eq=False)
class InternalPower:
    """Energy in fJ that a cell itself takes for a transition of `pin` (caused by `related`, under `when`).

    `supply` is the power pin that it is taken from, empty where the library does not distinguish them.
    """

    pin: str
    related: str
    when: str
    rise: Table | None
    fall: Table | None
    supply: str = ""


@dataclass(frozen=True)
class Pin:
    """A signal pin.

    Attributes
    ----------
    name, direction : str
    rise_cap, fall_cap : float
        Capacitance in fF that a driver's rising and falling edge sees (the largest that the library allows).
    function : str
        Boolean function of an output, as written; empty where the library gives none.
    clock : bool
    max_cap : float
        Largest load in fF that an output may have; 0 where the library does not say.
    off : str
        Boolean function that is 1 while a three-state output is switched off; empty of other pins.
    max_slew : float
        Largest transition in ps at the pin; 0 where the library does not say.
    plain_caps : tuple of float
        Capacitance in fF of a rising and a falling edge without regard to ranges: what ABC sees.
    """

    name: str
    direction: str
    rise_cap: float
    fall_cap: float
    function: str
    clock: bool
    max_cap: float = 0.0
    off: str = ""
    max_slew: float = 0.0
    plain_caps: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class FlipFlop:
    """What a flip-flop keeps: the names of its state and inverted state, and the expressions that drive it."""

    state: str
    inverse: str
    clocked_on: str
    next_state: str
    clear: str
    preset: str


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of the library; area in um2, leakage in nW.

    `latch` marks state of other kinds than a flip-flop's, `three_state` an output that can be switched off. `power` and
    `leakages` (state, nW; all supplies) are there when the library was read with its power tables. `supplies` are the
    power and ground pins, each with the level it carries (`0`, `1`, or empty where the library does not say); `buses`
    the pins that a bus or bundle stands for, the least significant first.
    """

    name: str
    area: float
    leakage: float
    dont_use: bool
    pins: Mapping[str, Pin]
    arcs: tuple[Arc, ...]
    setups: tuple[Setup, ...]
    flipflop: FlipFlop | None
    latch: bool
    power: tuple[InternalPower, ...] = ()
    leakages: tuple[tuple[str, float], ...] = ()
    three_state: bool = False
    supplies: Mapping[str, str] = field(default_factory=dict)
    buses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def keeps_data(self) -> bool:
        """Whether it is a flip-flop whose clock and next state are functions of its pins and its state."""
        from .function import python_expression

        if self.flipflop is None:
            return False
        known = {*self.pins, self.flipflop.state, self.flipflop.inverse}
        try:
            named = [python_expression(text)[1] for text in (self.flipflop.clocked_on, self.flipflop.next_state)]
        except ValueError:
            return False
        return all(names and known.issuperset(names) for names in named)

    @cached_property
    def untimed(self) -> tuple[str, ...]:
        """What the library leaves out, in words: arcs to outputs that are functions of an input, without tables."""
        from .function import python_expression

        timed = {
            (arc.related, arc.pin)
            for arc in self.arcs
            if (arc.rise_delay and arc.rise_slew) or (arc.fall_delay and arc.fall_slew)
        }
        reached = {pin for _, pin in timed}
        missing = []
        for output in self.outputs:
            function = self.pins[output].function
            named = python_expression(function)[1] if function else ()
            missing += [f"from {pin} to {output}" for pin in named if pin in self.inputs and (pin, output) not in timed]
            if output not in reached and self.inputs and not set(named) & set(self.inputs):
                missing += [f"to {output}"] if not function or self.flipflop is not None else []
        return tuple(missing)

    @property
    def order(self) -> list[str]:
        """Pins and buses in the library's order, supplies left out."""
        inside = {pin: bus for bus, members in self.buses.items() for pin in members}
        return list(dict.fromkeys(inside.get(pin, pin) for pin in self.pins))

    @property
    def inputs(self) -> list[str]:
        """Names of the input pins, in the library's order."""
        return [pin.name for pin in self.pins.values() if pin.direction == "input"]

    @property
    def outputs(self) -> list[str]:
        """Names of the output pins, in the library's order."""
        return [pin.name for pin in self.pins.values() if pin.direction == "output"]


@dataclass(frozen=True, eq=False)
class Library:
    """A cell library.

    Attributes
    ----------
    name : str
    source : str
        File it came from, for messages.
    content_hash : str
    corner : str
        Process, voltage and temperature as one text.
    cells : mapping of str to Cell
    voltage : float
        Nominal supply in V; NaN where the library does not state it.
    wire_loads : mapping of str to WireLoad
        The library's own models.
    max_slew : float
        Largest transition in ps where a pin does not state its own; 0 where the library does not say.
    notes : tuple of str
        What a user should know about how the library was read, a sentence each.
    """

    name: str
    source: str
    content_hash: str
    corner: str
    cells: Mapping[str, Cell] = field(repr=False)
    voltage: float = float("nan")
    wire_loads: Mapping[str, WireLoad] = field(default_factory=dict, repr=False)
    max_slew: float = 0.0
    notes: tuple[str, ...] = ()

    def cell(self, name: str) -> Cell:
        """The cell of that name.

        Raises
        ------
        RunFailure
            When the library has no such cell.
        """
        try:
            return self.cells[name]
        except KeyError:
            raise RunFailure(self.lacks(name)) from None

    def lacks(self, name: str) -> str:
        """What a message says of a cell that the library does not have."""
        like = f"; its cells are named like {next(iter(self.cells))}" if self.cells else ""
        return f"the library {self.name} ({self.source}) has no cell {name!r}{like}"

    def usable(self) -> list[Cell]:
        """Cells that the library lets a tool use."""
        return [cell for cell in self.cells.values() if not cell.dont_use]

    def flipflops(self) -> list[Cell]:
        """Flip-flops that may be used.

        Raises
        ------
        UsageError
            When there is none.
        """
        found = [cell for cell in self.usable() if cell.flipflop is not None and cell.keeps_data]
        if not found:
            raise UsageError(
                f"the library {self.name} ({self.source}) has no usable flip-flop, which the "
                "design needs; expected a library with ff groups, or a unit with stages=0"
            )
        return found

    def smallest(self, table: int, inputs: int) -> Cell:
        """The smallest single-output cell with a given truth table, whatever the order of its pins.

        Parameters
        ----------
        table : int
            Bit i is the output when the inputs, first pin first, spell i from the least significant bit.
        inputs : int
            Number of inputs.

        Raises
        ------
        UsageError
            When no usable cell computes it.
        """
        fitting = [
            cell for name in self._by_function.get((inputs, table), ()) if not (cell := self.cells[name]).dont_use
        ]
        if not fitting:
            what = _GATES.get((inputs, table), f"{inputs}-input cell with the truth table {table:0{2**inputs}b}")
            raise UsageError(
                f"the library {self.name} ({self.source}) has no usable {what} whose function it states; "
                "expected a library with functions for its cells"
            )
        return min(fitting, key=lambda cell: (cell.area, cell.name))

    def buffers(self) -> list[Cell]:
        """Buffers that may be used, smallest first."""
        names = self._by_function.get((1, 0b10), ())
        return sorted(
            (self.cells[name] for name in names if not self.cells[name].dont_use),
            key=lambda cell: (cell.area, cell.name),
        )

    def lacks_driver(self, name: str) -> str:
        """The message that there is no driving cell of this name."""
        buffers = [cell.name for cell in self.buffers()]
        close = difflib.get_close_matches(name, [*buffers, *self.cells], n=1)
        more = f" and {len(buffers) - _SHOWN} more" if len(buffers) > _SHOWN else ""
        return (
            f"driving cell: got {name!r}{f' (did you mean {close[0]}?)' if close else ''}; expected a cell of the "
            f"library {self.name}; its buffers are {', '.join(buffers[:_SHOWN]) or '(none)'}{more}"
        )

    def check_gates(self) -> None:
        """Reject a library that nothing can be mapped to.

        Inverter and two-input NAND are needed, with an area and timing, and no function may name what is no input of
        its cell: ABC gives up on the whole library then.

        Raises
        ------
        UsageError
        """
        from .function import python_expression

        for cell in (self.smallest(0b01, 1), self.smallest(0b0111, 2)):
            lacks = ["area", *(f"timing {arc}" for arc in cell.untimed)][cell.area > 0 :]
            if lacks:
                raise UsageError(
                    f"the library {self.name} ({self.source}): {cell.name} has no {', no '.join(lacks)}; "
                    "expected cells with an area and with tables of delay and transition (NLDM)"
                )
        for cell in self.usable():
            if cell.flipflop is not None or cell.latch:
                continue
            for pin in cell.pins.values():
                strange = (
                    [name for name in python_expression(pin.function)[1] if name not in cell.pins]
                    if pin.function
                    else []
                )
                if strange:
                    raise UsageError(
                        f"the library {self.name} ({self.source}): the function {pin.function!r} of "
                        f"{cell.name}/{pin.name} names {', '.join(strange)}; the cell's pins are "
                        f"{', '.join(cell.pins)}"
                    )

    @property
    def nand2_area(self) -> float:
        """Area in um2 of the smallest two-input NAND: one NAND2 equivalent."""
        return self.smallest(0b0111, 2).area

    @cached_property
    def supplies(self) -> Mapping[str, str]:
        """Power and ground pins of all cells, with the level that each carries."""
        return {pin: level for cell in self.cells.values() for pin, level in cell.supplies.items()}

    @cached_property
    def _by_function(self) -> Mapping[tuple[int, int], tuple[str, ...]]:
        from .function import truth_table

        found: dict[tuple[int, int], list[str]] = {}
        for cell in self.cells.values():
            inputs, outputs = cell.inputs, cell.outputs
            if cell.flipflop or cell.latch or len(outputs) != 1 or not 1 <= len(inputs) <= 2:
                continue
            function = cell.pins[outputs[0]].function
            if function:
                try:
                    found.setdefault((len(inputs), truth_table(function, inputs)), []).append(cell.name)
                except ValueError:
                    continue
        return {key: tuple(value) for key, value in found.items()}
