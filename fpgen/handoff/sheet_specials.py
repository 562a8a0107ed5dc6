"""The section on special values: what the golden model gives for each class of operands."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.golden.arguments import input_ports
from fpgen.units import Port, Role, Rounding, Unit
from fpgen.units.options import PORT_CODES, Flags

from .operand_classes import ORDER, number_text, operand_classes, ordinary
from .sheet_model import Paragraph, Part, Section, SheetTable, table

#: Codes of each array in one vector: by port, all elements in one list.
Codes = dict[str, list[int]]
_MOST_AXES = 3


def specials(unit: Unit) -> Section:
    """Tables of results; every entry is computed."""
    ports = [port for port in input_ports(unit) if port.format is not None]
    try:
        if _is_by_class(ports):
            parts = _by_class(unit, ports)
        else:
            parts = _one_at_a_time(unit, ports)
    except UsageError as error:
        parts = [Paragraph(f"Not known: {error}.")]
    return Section("Special values", (Paragraph(_introduction(unit)), *_operands(ports), *parts))


def _is_by_class(ports: list[Port]) -> bool:
    """Whether there is a result for every combination of classes, not for one special operand at a time."""
    return len(ports) <= _MOST_AXES and all(not port.shape for port in ports)


def _operands(ports: list[Port]) -> list[Part]:
    """Which code stands for which class, by format."""
    formats = dict.fromkeys(port.format for port in ports if port.format is not None)
    classes = {fmt: operand_classes(fmt) for fmt in formats}
    if _is_by_class(ports) and len(ports) == _MOST_AXES:
        for named in classes.values():
            del named["largest"]
    names = dict.fromkeys(name for named in classes.values() for name in named)
    rows = [
        (name, *(number_text(fmt, fmt.bits, named[name]) if name in named else "-" for fmt, named in classes.items()))
        for name in sorted(names, key=ORDER.index)
    ]
    return [table(["operand", *(fmt.name for fmt in formats)], rows)] if rows else []


def _introduction(unit: Unit) -> str:
    text = "Results of the golden model"
    if unit.stateful:
        text += " for one product after reset"
    controls = [f"`{name}` is {code}" for name, code in _controls(unit).items()]
    if controls:
        text += f", where {', '.join(controls)}"
    text += "; codes in parentheses."
    if _has_flags(unit):
        text += " Flags that are raised follow their result."
    return f"{text} For each class of operands, one code stands for all:"


def _controls(unit: Unit) -> dict[str, int]:
    """What is on the inputs that are no numbers."""
    return {
        port.name: {"rounding": PORT_CODES[Rounding.RNE], "load": 1}.get(port.name, 0)
        for port in input_ports(unit)
        if port.format is None
    }


# ---- vectors ------------------------------------------------------------------------


def computed(unit: Unit, vectors: Sequence[Codes]) -> list[tuple[dict[str, list[int]], Flags]]:
    """Codes of every result port and the flags, for each vector."""
    arrays = {}
    for port in input_ports(unit):
        code = _controls(unit).get(port.name, 0)
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
    if not _has_flags(unit):
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
        named = _classes(port)
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
        heads = [f"`{ports[0].name}` down, `{ports[1].name}` across", *names[1]]
        return [table(heads, [(row, *(cells[row, column] for column in names[1])) for row in names[0]])]
    return [_merged(ports, names, cells)]


def _merged(ports: list[Port], names: list[list[str]], cells: dict[tuple[str, ...], str]) -> SheetTable:
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
    """All codes ordinary ones, but for the first of one port; two that are not where that gives something else."""
    base = {port.name: [_plain(port)] * port.count for port in ports}
    cases: dict[tuple[str, ...], Codes] = {("nothing special",): base}
    doubles: dict[tuple[str, ...], Codes] = {}
    for port in ports:
        for name, code in _classes(port).items():
            if code != _plain(port):
                cases[_place(port, name),] = _with(base, port, code)
        if port.count > 1 and len(infinite := _infinite(port)) > 1:
            both = {**base, port.name: [*infinite.values(), *base[port.name][2:]]}
            doubles[tuple(_place(port, name) for name in infinite)] = both
    for port, other in itertools.permutations(ports, 2):
        zero = next(((name, code) for name, code in _classes(other).items() if name in ("0", "+0")), None)
        for name, code in list(_infinite(port).items())[:1]:
            if zero is not None:
                both = _with(_with(base, port, code), other, zero[1])
                doubles[_place(port, name), _place(other, zero[0])] = both
    rows = dict(zip((*cases, *doubles), _rows(unit, [*cases.values(), *doubles.values()]), strict=True))
    kept = {what: row for what, row in rows.items() if what in cases or all(row != rows.get((one,)) for one in what)}
    heads = ["operands", *(port.name for port in _results(unit))]
    plain = ", ".join(f"`{port.name}` {number_text(port.format, port.element_width, _plain(port))}" for port in ports)
    return [
        Paragraph(f"A row names the first codes of arrays; what it does not name is ordinary: {plain}."),
        table(
            [*heads, *(["flags"] if _has_flags(unit) else [])], [(", ".join(what), *row) for what, row in kept.items()]
        ),
    ]


def _rows(unit: Unit, vectors: Sequence[Codes]) -> list[tuple[str, ...]]:
    """The cells with the results of each vector."""
    found = []
    for codes, flags in computed(unit, vectors):
        row = [_summary(port, codes[port.name]) for port in _results(unit)]
        found.append((*row, *([_flags_text(unit, flags).strip() or "-"] if _has_flags(unit) else [])))
    return found


def _classes(port: Port) -> dict[str, int]:
    assert port.format is not None
    return operand_classes(port.format)


def _infinite(port: Port) -> dict[str, int]:
    return {name: code for name, code in _classes(port).items() if name in ("inf", "+inf", "-inf")}


def _plain(port: Port) -> int:
    """An ordinary code: 1; of a zero point 0, which is the ordinary one there."""
    assert port.format is not None
    return 0 if port.name.endswith("_zero") else ordinary(port.format)


def _place(port: Port, name: str) -> str:
    return f"`{port.name}` {name}"


def _with(base: Codes, port: Port, first: int) -> Codes:
    return {**base, port.name: [first, *base[port.name][1:]]}


def _has_flags(unit: Unit) -> bool:
    return any(port.role is Role.FLAGS for port in unit.ports)
