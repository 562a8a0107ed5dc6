"""What the cells of a library compute, as the Liberty text that Yosys' `read_liberty` takes; for proofs.

Cells that mapping leaves alone are in it too, but nothing of timing and power. Names, functions and the state of
flip-flops and latches are written in one spelling, whatever the source's style (`fpgen.library.liberty_write` says
why). Where Yosys would give up on the whole file the cell, or its function, is left out, and only a netlist with such
a cell is then reported: cells with buses or bundles, and functions of what is neither a pin nor a state that Yosys
knows.
"""

from collections.abc import Iterable, Mapping

from .function import canonical, python_expression
from .liberty_text import LibertyGroup

#: Groups that are not needed here.
SKIP = frozenset(
    (
        "timing",
        "internal_power",
        "leakage_power",
        "pg_pin",
        "test_cell",
        "lu_table_template",
        "power_lut_template",
        "operating_conditions",
        "wire_load",
        "normalized_driver_waveform",
        "receiver_capacitance",
        "dynamic_current",
        "leakage_current",
        "intrinsic_parasitic",
    )
)
_STATE = {"ff": ("clocked_on", "next_state", "clear", "preset"), "latch": ("enable", "data_in", "clear", "preset")}


def to_text(tree: LibertyGroup) -> str:
    """The text of a `library` group (`fpgen.library.liberty_text.parse`)."""
    lines = ['library ("functions") {']
    written: set[str] = set()
    for group in tree.named("cell"):
        name = (group.words() or [""])[0]
        if name and name not in written and not any(group.named(kind) for kind in ("bus", "bundle")):
            written.add(name)
            lines += [f'  cell ("{name}") {{', *_cell(group), "  }"]
    return "\n".join([*lines, "}", ""])


def _cell(cell: LibertyGroup) -> list[str]:
    pins = {word: pin for pin in cell.named("pin") for word in pin.words()}
    known = set(pins)
    lines = []
    for kind, keys in _STATE.items():
        for group in cell.named(kind):
            # A state may name itself, and what is written before it.
            states = set(group.words()[:2])
            given = _functions(group.attributes, keys, known | states)
            if given is not None and len(states) == 2 and all(key in given for key in keys[:2]):
                known |= states
                lines.append('    {} ("{}", "{}") {{ {} }}'.format(kind, *group.words()[:2], _attributes(given)))
    for word, group in pins.items():
        given = {key: group.attributes[key] for key in ("direction",) if key in group.attributes}
        given |= _functions(group.attributes, ("function", "three_state"), known) or {}
        lines.append(f'    pin ("{word}") {{ {_attributes(given)} }}')
    return lines


def _functions(given: Mapping[str, str], keys: Iterable[str], known: set[str]) -> dict[str, str] | None:
    """The functions among some attributes; None where one cannot be read, or names what is not known."""
    found = {}
    for key in keys:
        text = given.get(key, "")
        if text:
            try:
                if not known.issuperset(python_expression(text)[1]):
                    return None
                found[key] = canonical(text)
            except ValueError:
                return None
    return found


def _attributes(given: Mapping[str, str]) -> str:
    return " ".join(f'{key} : "{value}";' for key, value in given.items())
