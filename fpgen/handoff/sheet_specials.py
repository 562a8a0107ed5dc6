"""The section on special values: what the golden model gives for each class of operands."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.golden.arguments import input_ports
from fpgen.units import Port, Role, Rounding, Unit
from fpgen.units.options import PORT_CODES, Flags

from .operand_classes import number_text, operand_classes, ordinary
from .sheet_model import Paragraph, Part, Section, Table, table

#: Codes of each array in one vector: by port, all elements in one list.
Codes = dict[str, list[int]]
_MOST_AXES = 3


def specials(unit: Unit) -> Section:
    """Tables of results; every entry is computed."""
    ports = [port for port in input_ports(unit) if port.format is not None]
    try:
        if all(not port.shape for port in ports) and len(ports) <= _MOST_AXES:
            parts = _by_class(unit, ports)
        else:
            parts = _one_at_a_time(unit, ports)
    except UsageError as error:
        parts = [Paragraph(f"Not known: {error}.")]
    return Section("Special values", (Paragraph(_introduction(unit, ports)), *parts))


def _introduction(unit: Unit, ports: list[Port]) -> str:
    used = []
    for port in ports:
        assert port.format is not None
        named = operand_classes(port.format)
        codes = ", ".join(
            f"{name} {number_text(port.format, port.element_width, code)}" for name, code in named.items()
        )
        used.append(f"`{port.name}`: {codes}")
    text = "Results of the golden model"
    controls = [f"`{name}` is {code}" for name, (code, said) in _controls(unit).items() if said]
    if controls:
        text += f" where {', '.join(controls)}"
    text += "; codes in parentheses."
    if any(port.role is Role.FLAGS for port in unit.ports):
        text += " Flags that are raised follow their result."
    return f"{text} The operands: {'; '.join(used)}."


def _controls(unit: Unit) -> dict[str, tuple[int, bool]]:
    """What is on the other inputs, and whether that is worth saying."""
    found = {}
    for port in input_ports(unit):
        if port.role is not Role.CONTROL or port.format is not None:
            continue
        code = {"rounding": PORT_CODES[Rounding.RNE], "load": 1}.get(port.name, 0)
        found[port.name] = code, port.name != "load"
    return found


# ---- vectors ------------------------------------------------------------------------


def computed(unit: Unit, vectors: Sequence[Codes]) -> list[tuple[dict[str, list[int]], Flags]]:
    """Codes of every result port and the flags, for each vector."""
    arrays = {}
    for port in input_ports(unit):
        code = _controls(unit).get(port.name, (0, False))[0]
        rows = [vector.get(port.name, [code] * port.count) for vector in vectors]
        shape = (len(vectors), *((1,) if unit.stateful else ()), *port.shape)
        arrays[port.name] = np.array(rows, dtype=np.uint64).reshape(shape)
    result = unit.compute(**arrays)
    codes = {name: array.reshape(len(vectors), -1).tolist() for name, array in result.outputs.items()}
    flags = result.flags.reshape(len(vectors), -1)
    return [
        ({name: rows[i] for name, rows in codes.items()}, Flags(int(np.bitwise_or.reduce(flags[i]))))
        for i in range(len(vectors))
    ]


def _results(unit: Unit) -> list[Port]:
    return [port for port in unit.ports if port.role is Role.RESULT]


def _flags_text(unit: Unit, flags: Flags) -> str:
    if not any(port.role is Role.FLAGS for port in unit.ports):
        return ""
    return "".join(f" {flag.name}" for flag in sorted(Flags, reverse=True) if flag in flags)


def _summary(port: Port, codes: Iterable[int]) -> str:
    """The result; of an array, what there is in it and how often."""
    counted = Counter(codes)
    texts = {code: number_text(port.format, port.element_width, code) for code in counted}
    if len(counted) == 1 and port.count > 1:
        return f"all {texts[next(iter(counted))]}"
    if port.count == 1:
        return texts[next(iter(counted))]
    return ", ".join(f"{count} times {texts[code]}" for code, count in counted.items())


# ---- scalars ------------------------------------------------------------------------


def _by_class(unit: Unit, ports: list[Port]) -> list[Part]:
    classes = []
    for port in ports:
        assert port.format is not None
        named = operand_classes(port.format)
        if len(ports) == _MOST_AXES:  # else there are too many columns
            named.pop("largest")
        classes.append(named)
    chosen = list(itertools.product(*(named.items() for named in classes)))
    vectors = [{port.name: [code] for port, (_, code) in zip(ports, row, strict=True)} for row in chosen]
    cells: dict[tuple[str, ...], str] = {}
    for row, (codes, flags) in zip(chosen, computed(unit, vectors), strict=True):
        texts = [_summary(port, codes[port.name]) for port in _results(unit)]
        cells[tuple(name for name, _ in row)] = "; ".join(texts) + _flags_text(unit, flags)
    names = [list(named) for named in classes]
    if len(ports) == 1:
        heads = [ports[0].name, "; ".join(port.name for port in _results(unit))]
        return [table(heads, [(name, cells[name,]) for name in names[0]])]
    if len(ports) == 2:
        heads = [f"{ports[0].name}, below; {ports[1].name}, to the right", *names[1]]
        return [table(heads, [(row, *(cells[row, column] for column in names[1])) for row in names[0]])]
    return [_merged(ports, names, cells)]


def _merged(ports: list[Port], names: list[list[str]], cells: dict[tuple[str, ...], str]) -> Table:
    """Three operands: rows of the first two with the same results are one."""
    shapes: dict[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], list[str]] = {}
    for first in names[0]:
        by_results: dict[tuple[str, ...], list[str]] = {}
        for second in names[1]:
            by_results.setdefault(tuple(cells[first, second, third] for third in names[2]), []).append(second)
        key = tuple((tuple(seconds), results) for results, seconds in by_results.items())
        shapes.setdefault(key, []).append(first)
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for key, firsts in shapes.items():
        for seconds, results in key:
            rows.setdefault((_named(seconds, names[1]), results), []).extend(firsts)
    heads = [ports[0].name, ports[1].name, *(f"{ports[2].name} {name}" for name in names[2])]
    return table(heads, [(_named(firsts, names[0]), seconds, *results) for (seconds, results), firsts in rows.items()])


def _named(some: Iterable[str], everything: list[str]) -> str:
    some = list(some)
    return "any" if len(some) == len(everything) else ", ".join(some)


# ---- arrays -------------------------------------------------------------------------


def _one_at_a_time(unit: Unit, ports: list[Port]) -> list[Part]:
    """All codes ordinary ones but the first of one port, or of two; or the first two of one."""
    base = {port.name: [_plain(port)] * port.count for port in ports}
    cases: list[tuple[str, Codes]] = [("nothing special", base)]
    infinite: dict[str, dict[str, int]] = {}
    for port in ports:
        assert port.format is not None
        named = operand_classes(port.format)
        infinite[port.name] = {name: code for name, code in named.items() if name in ("+inf", "-inf", "inf")}
        for name, code in named.items():
            if code != _plain(port):
                cases.append((_place(port, name), _with(base, port, [code])))
    for port in ports:
        if port.count > 1 and len(infinite[port.name]) > 1:
            cases.append((_place(port, "+inf", "-inf"), _with(base, port, list(infinite[port.name].values()))))
    for port, other in itertools.permutations(ports, 2):
        assert other.format is not None
        zeros = {name: code for name, code in operand_classes(other.format).items() if name in ("+0", "0")}
        for (name, code), (zero, zero_code) in itertools.product(list(infinite[port.name].items())[:1], zeros.items()):
            both = _with(_with(base, port, [code]), other, [zero_code])
            cases.append((f"{_place(port, name)}, {_place(other, zero)}", both))
    heads = ["operands", *(port.name for port in _results(unit))]
    flagged = any(port.role is Role.FLAGS for port in unit.ports)
    rows = []
    for (what, _), (codes, flags) in zip(cases, computed(unit, [codes for _, codes in cases]), strict=True):
        row = [what, *(_summary(port, codes[port.name]) for port in _results(unit))]
        rows.append((*row, *([_flags_text(unit, flags).strip() or "-"] if flagged else [])))
    ordinary_ones = ", ".join(
        f"`{port.name}` {number_text(port.format, port.element_width, _plain(port))}" for port in ports
    )
    return [
        Paragraph(f"What is not named in a row is ordinary: {ordinary_ones}."),
        table([*heads, *(["flags"] if flagged else [])], rows),
    ]


def _plain(port: Port) -> int:
    """An ordinary code: 1; of a zero point 0, which is the ordinary one there."""
    assert port.format is not None
    return 0 if port.name.endswith("_zero") else ordinary(port.format)


def _place(port: Port, *names: str) -> str:
    if math.prod(port.shape) == 1:
        return f"`{port.name}` {names[0]}"
    return f"`{port.name}` begins with {', '.join(names)}"


def _with(base: Codes, port: Port, first: list[int]) -> Codes:
    return {**base, port.name: [*first, *base[port.name][len(first) :]]}
