"""Behavioural Verilog of a library's cells, from the functions that the library states.

A mapped netlist is nothing but instances of cells: no simulator takes it without a module for each. Gates become
expressions, flip-flops a register that is loaded at an edge of their clock and cleared or preset at once. There are no
delays, so clocked netlists are to be simulated with inputs that change away from the clock's edge, and no supply pins.

What the library does not say in a way that is understood here (latches, three-state outputs, flip-flops of several
bits, outputs without a function) is left out and named, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fpgen.base.provenance import provenance
from fpgen.base.reserved import RESERVED
from fpgen.library.cells import Cell, FlipFlop, Library
from fpgen.library.function import python_expression
from fpgen.timing.netlist import Netlist

_INDENT = "    "


class NotUnderstood(ValueError):
    """Why a cell has no model."""


@dataclass(frozen=True)
class Models:
    """Verilog text of some cells; the cells in it, and those without a model, each with its reason."""

    text: str
    modelled: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def models(library: Library, names: Iterable[str] | None = None) -> Models:
    """Verilog-2001 modules for cells of a library.

    Parameters
    ----------
    library : Library
    names : iterable of str, optional
        Cells; default: all.

    Returns
    -------
    Models
        Each module is inside `` `ifndef FPGEN_CELL_<cell> ``, so that files of several netlists can be read together.

    Raises
    ------
    RunFailure
        When the library has no cell of that name.
    """
    wanted = sorted(library.cells) if names is None else sorted(set(names))
    parts, modelled, left_out = [], [], []
    for name in wanted:
        try:
            parts.append(_module(library.cell(name)))
            modelled.append(name)
        except NotUnderstood as error:
            left_out.append((name, str(error)))
    missing = [f"//   {name}: {reason}" for name, reason in left_out]
    head = [
        *provenance(),
        f"// Behaviour of cells of the library {library.name}, from its functions; no delays.",
        *(["// Without a model:", *missing] if missing else []),
    ]
    return Models("\n".join([*head, "", *parts]), tuple(modelled), tuple(left_out))


def models_of(netlist: Netlist, library: Library) -> Models:
    """The models that a mapped netlist needs to be simulated."""
    return models(library, {instance.cell for instance in netlist.instances})


# ---- one cell -----------------------------------------------------------------------


def _module(cell: Cell) -> str:
    body = _body(cell)
    ports = ",\n".join(_INDENT + port for port in _ports(cell))
    guard = "FPGEN_CELL_" + re.sub(r"\W", "_", cell.name)
    lines = [
        f"`ifndef {guard}",
        f"`define {guard}",
        f"module {_identifier(cell.name)} (",
        ports,
        ");",
        *(_INDENT + line for line in body),
        "endmodule",
        "`endif",
        "",
    ]
    return "\n".join(lines)


def _ports(cell: Cell) -> list[str]:
    """Declarations; the bits of a bus are one port, which is how netlists connect them."""
    bits = _bits(cell)
    found: dict[str, None] = {}
    for pin in cell.pins.values():
        if pin.direction in ("input", "output"):
            bus, bit = bits.get(pin.name, (pin.name, None))
            numbers = [number for name, number in bits.values() if name == bus]
            ends = "" if bit is None else f"[{numbers[-1]}:{numbers[0]}] "
            found[f"{'input ' if pin.direction == 'input' else 'output'} wire {ends}{_identifier(bus)}"] = None
    return list(found)


def _bits(cell: Cell) -> dict[str, tuple[str, int]]:
    """Pins that are bits of a bus: its name, and their number in it. (Pins of a bundle have their own names.)"""
    return {
        pin: (bus, int(pin[len(bus) + 1 : -1]))
        for bus, pins in cell.buses.items()
        for pin in pins
        if re.fullmatch(re.escape(bus) + r"\[\d+\]", pin)
    }


def _reference(cell: Cell, name: str) -> str:
    """A pin in an expression."""
    bus, bit = _bits(cell).get(name, (name, None))
    return _identifier(bus) if bit is None else f"{_identifier(bus)}[{bit}]"


def _body(cell: Cell) -> list[str]:
    """The statements of a cell.

    Raises
    ------
    NotUnderstood
    """
    odd = [pin.name for pin in cell.pins.values() if pin.direction not in ("input", "output", "internal")]
    if odd:
        raise NotUnderstood(f"pin {odd[0]} is neither an input nor an output")
    if cell.latch:
        raise NotUnderstood("it keeps data in another way than a flip-flop")
    if cell.three_state:
        raise NotUnderstood("its output can be switched off")
    without = [name for name in cell.outputs if not cell.pins[name].function]
    if without:
        raise NotUnderstood(f"the library states no function of its output {without[0]}")
    names = {name: _reference(cell, name) for name in cell.inputs}
    lines = [] if cell.flipflop is None else _register(cell, cell.flipflop, names)
    return lines + [
        f"assign {_reference(cell, name)} = {_expression(cell.pins[name].function, names)};" for name in cell.outputs
    ]


def _register(cell: Cell, kept: FlipFlop, names: dict[str, str]) -> list[str]:
    """The state of a flip-flop; `names` learns what it is called.

    Source: Liberty Reference Manual, "ff" group: the state takes `next_state` when `clocked_on` becomes true; `clear`
    and `preset` act while they are true. What both together do is another attribute's business, which is not read:
    the state is then unknown.
    """
    if not (kept.clocked_on and kept.next_state and kept.state):
        raise NotUnderstood("its flip-flop has no clock or no next state")
    taken = {*cell.pins, *cell.buses}
    state = _free("state", taken)
    lines = [f"reg {state};"]
    names[kept.state] = state
    if kept.inverse:
        names[kept.inverse] = f"(~{state})"
    wires = []
    for what, text in (("clock", kept.clocked_on), ("clear", kept.clear), ("preset", kept.preset)):
        if text:
            name = _free(what, taken)
            lines.append(f"wire {name} = {_expression(text, names)};")
            wires.append((what, name))
    signals = dict(wires)
    lines.append(f"always @({' or '.join(f'posedge {name}' for _, name in wires)})")
    clear, preset = signals.get("clear"), signals.get("preset")
    rules = []
    if clear and preset:
        rules.append((f"{clear} & {preset}", "1'bx"))
    rules += [(name, value) for name, value in ((clear, "1'b0"), (preset, "1'b1")) if name]
    for at, (condition, value) in enumerate(rules):
        lines.append(f"{_INDENT}{'else ' if at else ''}if ({condition}) {state} <= {value};")
    lines.append(f"{_INDENT}{'else ' if rules else ''}{state} <= {_expression(kept.next_state, names)};")
    return lines


def _free(name: str, taken: set[str]) -> str:
    """The name, with as many underscores as make it no pin's."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _expression(text: str, names: dict[str, str]) -> str:
    """A function of Liberty as an expression of Verilog: both have `~ & | ^`."""
    try:
        expression, named = python_expression(text)
    except ValueError as error:
        raise NotUnderstood(str(error)) from None
    unknown = [name for name in named if name not in names]
    if unknown:
        raise NotUnderstood(f"the function {text!r} names {unknown[0]}, which is not an input")
    return re.sub(r"v\['([^']+)'\]", lambda found: "1'b1" if found[1] == "1" else names[found[1]], expression)


def _identifier(name: str) -> str:
    """A name as Verilog writes it: escaped, and ended by a blank, where it is not a plain identifier."""
    if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in RESERVED:
        return name
    return f"\\{name} "
