"""A library written anew as plain Liberty, for readers that are pickier than fpgen's own.

Yosys and ABC read their own subset of Liberty. What makes them fail, or read something else than is written, is rare in
the libraries of open PDKs and legal all the same: tables without axes (`scalar`), with one axis or a few points, the
load as the first axis, `dont_use : false` (ABC takes the attribute itself for a yes), strings with `//` or a quote
inside, a byte order mark, blanks after the backslash of a continued line, pads.

Such a library is written here from what fpgen has read: gates and flip-flops that may be used, tables of two axes,
units of 1 ps, 1 fF and 1 nW. Every other library goes to Yosys and ABC as it is.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from fpgen.ppa.cells import Arc, Cell, Floats, InternalPower, Library, Pin, Setup, Table

# Each begins with a word of its own, which is looked for first: libraries have tens of megabytes.
_TRIPS = {word: re.compile(re.escape(word) + rest) for word, rest in (
    ("\ufeff", ""), ("\r", ""), ("\\", r'[ \t]+\n|\\"'), ("pad_cell", ""), ("dont_use", r'\s*+:\s*+"?(?:[fF]|0)'),
    ("variable_1", r'\s*+:\s*+"?total_output'))}
_SLASHES = re.compile(r'"[^"\n]*//')


# ABC takes a cell's drive from points inside its tables: it divides by zero where there are fewer.
_FEWEST = 4


def trips(text: str, library: Library) -> bool:
    """Whether the text has something that Yosys or ABC cannot read, or reads otherwise."""
    if any(word in text and found.search(text) for word, found in _TRIPS.items()) or \
            ("//" in text and _SLASHES.search(text)):
        return True
    gates = [cell for cell in library.usable() if _is_gate(cell)]
    return any(cell.untimed or min(table.values.shape) < _FEWEST
               for cell in gates for arc in cell.arcs for table in _tables(arc).values())


def to_text(library: Library) -> str:
    """The gates and flip-flops of a library that may be used, as plain Liberty; with power where it was read."""
    voltage = f"  nom_voltage : {library.voltage:g};\n" if library.voltage == library.voltage else ""
    head = (f'library ("{library.name}") {{\n  delay_model : table_lookup;\n  time_unit : "1ps";\n'
            f'  capacitive_load_unit (1, ff);\n  leakage_power_unit : "1nW";\n  voltage_unit : "1V";\n{voltage}')
    templates: dict[str, str] = {}
    cells = [_cell(cell, templates) for cell in library.usable()
             if not cell.untimed and not cell.three_state and (_is_gate(cell) or cell.keeps_data)]
    return "\n".join([head, *(text.replace("NAME", name, 1) for text, name in templates.items()), *cells, "}\n"])


def _is_gate(cell: Cell) -> bool:
    return (cell.flipflop is None and not cell.latch and bool(cell.outputs)
            and all(cell.pins[pin].function for pin in cell.outputs))


def _tables(arc: Arc) -> dict[str, Table]:
    """The arc's tables by their names in Liberty."""
    found = {"cell_rise": arc.rise_delay, "cell_fall": arc.fall_delay,
             "rise_transition": arc.rise_slew, "fall_transition": arc.fall_slew}
    return {name: table for name, table in found.items() if table is not None}


def _cell(cell: Cell, templates: dict[str, str]) -> str:
    lines = [f'  cell ("{cell.name}") {{', f"    area : {cell.area:g};", f"    cell_leakage_power : {cell.leakage:g};"]
    for when, leakage in cell.leakages:
        lines.append(f"    leakage_power () {{ {_text('when', when)} value : {leakage:g}; }}")
    if cell.flipflop is not None:
        kept = cell.flipflop
        given = {"clocked_on": kept.clocked_on, "next_state": kept.next_state, "clear": kept.clear,
                 "preset": kept.preset}
        lines.append(f'    ff ("{kept.state}", "{kept.inverse}") {{ '
                     + " ".join(_text(key, text) for key, text in given.items()) + " }")
    for pin in cell.pins.values():
        lines += [*_pin(pin),
                  *_timing([arc for arc in cell.arcs if arc.pin == pin.name],
                           [setup for setup in cell.setups if setup.pin == pin.name], templates),
                  *_power([item for item in cell.power if item.pin == pin.name], templates), "    }"]
    return "\n".join([*lines, "  }"])


def _pin(pin: Pin) -> list[str]:
    lines = [f'    pin ("{pin.name}") {{', f"      direction : {pin.direction};"]
    if pin.direction == "input":
        lines.append(f"      capacitance : {max(pin.rise_cap, pin.fall_cap):g}; rise_capacitance : {pin.rise_cap:g}; "
                     f"fall_capacitance : {pin.fall_cap:g};" + (" clock : true;" if pin.clock else ""))
    if pin.function:
        lines.append(f'      function : "{pin.function}";')
    if pin.max_cap:
        lines.append(f"      max_capacitance : {pin.max_cap:g};")
    return lines


def _timing(arcs: Sequence[Arc], setups: Sequence[Setup], templates: dict[str, str]) -> list[str]:
    lines = []
    for arc in arcs:
        lines.append(f'      timing () {{ related_pin : "{arc.related}"; timing_sense : {arc.sense}; '
                     f"timing_type : {arc.kind}; {_text('when', arc.when)}")
        lines += [_table(name, table, "total_output_net_capacitance", templates)
                  for name, table in _tables(arc).items()]
        lines.append("      }")
    for setup in setups:
        lines.append(f'      timing () {{ related_pin : "{setup.related}"; timing_type : setup_{setup.edge};')
        lines += [_table(f"{edge}_constraint", table, "related_pin_transition", templates)
                  for edge, table in (("rise", setup.rise), ("fall", setup.fall)) if table is not None]
        lines.append("      }")
    return lines


def _power(items: Sequence[InternalPower], templates: dict[str, str]) -> list[str]:
    lines = []
    for item in items:
        given = {"related_pin": item.related, "when": item.when, "related_pg_pin": item.supply}
        lines.append("      internal_power () { " + " ".join(_text(key, text) for key, text in given.items()))
        lines += [_table(f"{edge}_power", table, "total_output_net_capacitance", templates)
                  for edge, table in (("rise", item.rise), ("fall", item.fall)) if table is not None]
        lines.append("      }")
    return lines


def _text(key: str, value: str) -> str:
    return f'{key} : "{value}";' if value else ""


def _table(name: str, table: Table, second: str, templates: dict[str, str]) -> str:
    """A table of two axes of enough points each: the same function."""
    x, y = _points(table.x), _points(table.y)
    values = [[table.at(p, q) for q in y] for p in x]
    first = "input_net_transition" if second.startswith("total") else "constrained_pin_transition"
    template = (f"  lu_table_template (NAME) {{ variable_1 : {first}; variable_2 : {second}; "
                f'index_1 ("{_row(x)}"); index_2 ("{_row(y)}"); }}')
    named = templates.setdefault(template, f"t{len(templates)}")
    rows = ", ".join(f'"{_row(row)}"' for row in values)
    return f'        {name} ({named}) {{ index_1 ("{_row(x)}"); index_2 ("{_row(y)}"); values ({rows}); }}'


def _points(axis: Floats) -> Floats:
    """The axis, with points between its own, or beyond a single one, until there are enough."""
    if len(axis) == 1:
        return axis[0] + np.array([0.0, 25.0, 50.0, 100.0])
    while len(axis) < _FEWEST:
        axis = np.sort(np.concatenate([axis, (axis[1:] + axis[:-1]) / 2]))
    return axis


def _row(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:.7g}" for number in numbers)
