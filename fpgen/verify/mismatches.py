"""From raw wrong outputs to mismatches that a person can read and run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import numpy as np

from fpgen.units import Port, Unit
from fpgen.vectors.layout import Codes, batch_shape, join
from fpgen.vectors.stimulus import Inputs

from .campaign import CampaignEntry
from .explain import broken_rule, code_text, codes_text, difference_text, flags_text
from .verdict import Mismatch

SHOWN = 8
_SHORT = 4  # steps that fit a command line


def mismatches_of(entry: CampaignEntry, vectors: int | None = None, *, shown: int = SHOWN) -> tuple[Mismatch, ...]:
    """The first few wrong results of an entry, one for each kind of rule before a second of the same kind."""
    found = [_mismatch(entry, index, word, vectors) for index, word in sorted(entry.wrong)[: 4 * shown]]
    seen: set[str] = set()
    first = [seen.add(one.rule) or one for one in found if one.rule not in seen]  # type: ignore[func-returns-value]
    rest = [one for one in found if not any(one is other for other in first)]
    return tuple(sorted((first + rest)[:shown], key=lambda one: one.index))


def _mismatch(entry: CampaignEntry, index: int, word: int, vectors: int | None) -> Mismatch:
    unit = entry.unit
    family, inputs = entry.plan.find(index)
    outputs = [port for port in unit.ports if port.travels_out]
    expected = _last(outputs, entry.golden(unit, inputs))
    got = entry.layout.split_outputs(word)
    last = _last(entry.plan.ports, inputs)
    return Mismatch(
        index=index,
        family=family,
        inputs={port.name: _text(port, last[port.name]) for port in entry.plan.ports},
        expected=_outputs_text(outputs, expected, got),
        got=_outputs_text(outputs, got, expected),
        rule=_rule(outputs, expected, got),
        replay=replay_command(unit, inputs, index, entry, vectors),
    )


def _last(ports: Sequence[Port], arrays: Inputs) -> dict[str, Codes]:
    """The last vector: a code, or the codes of an array port."""
    found: dict[str, Codes] = {}
    for port in ports:
        flat = np.ravel(arrays[port.name])[-port.count :].tolist()
        found[port.name] = tuple(flat) if port.shape else flat[0]
    return found


def _text(port: Port, codes: Codes) -> str:
    if isinstance(codes, tuple):
        return codes_text(port.format, codes, port.element_width)
    return code_text(port.format, codes, port.width)


def _outputs_text(ports: Sequence[Port], outputs: Mapping[str, Codes], other: Mapping[str, Codes]) -> str:
    """Results and flags; of arrays and of several results only what differs from `other`."""
    found = []
    for port in ports:
        codes, than = outputs[port.name], other[port.name]
        if isinstance(codes, tuple) and isinstance(than, tuple):
            found.append(difference_text(port.format, codes, than, port.element_width))
        elif isinstance(codes, int):
            name = "" if port.name == "result" else f"{port.name} "
            found.append(name + (flags_text(codes) if port.name == "flags" else _text(port, codes)))
    return ", ".join(text for text in found if text)


def _rule(ports: Sequence[Port], expected: Mapping[str, Codes], got: Mapping[str, Codes]) -> str:
    """What kind of rule is broken; of an array, by its first wrong element."""
    flags = [_number(outputs.get("flags")) for outputs in (expected, got)]
    for port in sorted(ports, key=lambda port: port.name != "scale"):  # a wrong scale makes its elements wrong
        wants, has = expected[port.name], got[port.name]
        if wants == has or port.format is None:
            continue
        if isinstance(wants, tuple) and isinstance(has, tuple):
            wants, has = next((a, b) for a, b in zip(wants, has, strict=True) if a != b)
        assert isinstance(wants, int) and isinstance(has, int)
        rule = broken_rule(port.format, wants, has, *flags)
        return f"scale, {rule}" if port.name == "scale" else rule
    result = next(port for port in ports if port.name == "result")
    assert result.format is not None
    return broken_rule(result.format, 0, 0, *flags)


def _number(codes: Codes | None) -> int | None:
    return codes if isinstance(codes, int) else None


def replay_text(ports: Sequence[Port], inputs: Inputs) -> str:
    """Vectors as `--replay` takes them: ``a=0x3c,b=0x01``, steps of a sequence separated by semicolons.

    The codes of an array port are one number, the first in the lowest bits.
    """
    columns = []
    for port in ports:
        rows = inputs[port.name].reshape(-1, port.count).tolist()
        columns.append([f"{port.name}={join(port, row):#x}" for row in rows])
    return ";".join(",".join(step) for step in zip(*columns, strict=True))


def replay_command(unit: Unit, inputs: Inputs, index: int, entry: CampaignEntry, vectors: int | None) -> str:
    """The command line that runs this vector again; a long sequence is named by its index."""
    first = entry.plan.ports[0]
    steps = int(np.prod(batch_shape(first, inputs[first.name])))
    if steps <= _SHORT:
        what = replay_text(entry.plan.ports, inputs)
    else:
        what = f"{index} --seed {entry.plan.seed}" + (f" --vectors {vectors}" if vectors is not None else "")
        return f"fpgen verify {shlex.quote(unit.text)} --replay {what} --waves"
    return f"fpgen verify {shlex.quote(unit.text)} --replay {shlex.quote(what)} --waves"
