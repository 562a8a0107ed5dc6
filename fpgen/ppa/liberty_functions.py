"""What the cells of a library compute, as the Liberty text that Yosys' `read_liberty` takes; for proofs.

Every cell is in it, also those that mapping leaves alone, but nothing of timing and power. Names, functions and the
state of flip-flops and latches are written in one spelling, whatever the source's style (`fpgen.ppa.liberty_write`
says why). Where Yosys would give up on the whole file, because a function names what is neither a pin nor a state that
it knows, the function is left out: a netlist with such a cell is then reported, and no other.
"""

from collections.abc import Iterable, Mapping

from fpgen.ppa.function import canonical, python_expression
from fpgen.ppa.liberty_cells import bundled
from fpgen.ppa.liberty_text import Group

#: A new number when the text of a library changes.
VERSION = "1"
#: Groups that are not needed here.
SKIP = frozenset(("timing", "internal_power", "leakage_power", "pg_pin", "test_cell", "lu_table_template",
                  "power_lut_template", "operating_conditions", "wire_load", "normalized_driver_waveform",
                  "receiver_capacitance", "dynamic_current", "leakage_current", "intrinsic_parasitic"))
_TYPE = ("base_type", "data_type", "bit_width", "bit_from", "bit_to", "downto")
_STATE = {"ff": ("clocked_on", "next_state", "clear", "preset"), "latch": ("enable", "data_in", "clear", "preset")}


def to_text(tree: Group) -> str:
    """The text of a `library` group (`fpgen.ppa.liberty_text.parse`)."""
    lines = ['library ("functions") {']
    for group in tree.named("type"):
        given = {key: group.attributes[key].lower() for key in _TYPE if key in group.attributes}
        lines += [f'  type ("{word}") {{ {_attributes(given)} }}' for word in group.words()[:1]]
    written: set[str] = set()
    for group in tree.named("cell"):
        name = (group.words() or [""])[0]
        if name and name not in written:
            written.add(name)
            lines += [f'  cell ("{name}") {{', *_cell(group), "  }"]
    return "\n".join([*lines, "}", ""])


def _cell(cell: Group) -> list[str]:
    pins = {word: pin for word, pin in (*((word, pin) for pin in cell.named("pin") for word in pin.words()),
                                        *bundled(cell))}
    buses = {word: bus for bus in cell.named("bus") for word in bus.words()}
    known = {*pins, *buses}
    lines = []
    for kind, keys in _STATE.items():
        for group in cell.named(kind):
            # A state may name itself, and what is written before it.
            states = set(group.words()[:2])
            given = _functions(group.attributes, keys, known | states)
            if given is not None and len(states) == 2 and all(key in given for key in keys[:2]):
                known |= states
                lines.append('    {} ("{}", "{}") {{ {} }}'.format(kind, *group.words()[:2], _attributes(given)))
    for kind, found in (("pin", pins), ("bus", buses)):
        for word, group in found.items():
            given = {key: group.attributes[key] for key in ("direction", "bus_type") if key in group.attributes}
            given |= _functions(group.attributes, ("function", "three_state"), known) or {}
            lines.append(f'    {kind} ("{word}") {{ {_attributes(given)} }}')
    return lines


def _functions(given: Mapping[str, str], keys: Iterable[str], known: set[str]) -> dict[str, str] | None:
    """The functions among some attributes; None where one cannot be read, or names what is not known."""
    found = {}
    for key in keys:
        text = given.get(key, "")
        if text:
            try:
                if not all(name in known or name.partition("[")[0] in known for name in python_expression(text)[1]):
                    return None
                found[key] = canonical(text)
            except ValueError:
                return None
    return found


def _attributes(given: Mapping[str, str]) -> str:
    return " ".join(f'{key} : "{value}";' for key, value in given.items())
