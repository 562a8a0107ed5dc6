"""From raw wrong outputs to mismatches that a person can read and run again."""

from __future__ import annotations

import shlex

import numpy as np

from ..units import Unit
from .campaign import Entry
from .decode import broken_rule, code_text, flags_text
from .stimulus import Inputs
from .verdict import Mismatch

SHOWN = 8
_SHORT = 4  # steps that fit a command line


def mismatches_of(entry: Entry, vectors: int | None = None, *, shown: int = SHOWN) -> tuple[Mismatch, ...]:
    """The first few wrong results of an entry, one for each kind of rule before a second of the same kind."""
    found = [_mismatch(entry, index, word, vectors) for index, word in sorted(entry.wrong)[: 4 * shown]]
    seen: set[str] = set()
    first = [seen.add(one.rule) or one for one in found if one.rule not in seen]  # type: ignore[func-returns-value]
    rest = [one for one in found if not any(one is other for other in first)]
    return tuple(sorted((first + rest)[:shown], key=lambda one: one.index))


def _mismatch(entry: Entry, index: int, word: int, vectors: int | None) -> Mismatch:
    unit = entry.unit
    family, inputs = entry.plan.find(index)
    outputs = entry.golden(unit, inputs)
    expected = {name: int(np.ravel(array)[-1]) for name, array in outputs.items()}
    got = entry.layout.split_outputs(word)
    last = {name: int(np.ravel(array)[-1]) for name, array in inputs.items()}
    ports = {port.name: port for port in entry.plan.ports}
    return Mismatch(
        index=index, family=family,
        inputs={name: code_text(ports[name].format, code, ports[name].width) for name, code in last.items()},
        expected=_outputs_text(unit, expected), got=_outputs_text(unit, got),
        rule=broken_rule(unit.out, expected["result"], got["result"], expected.get("flags"), got.get("flags")),
        replay=replay_command(unit, inputs, index, entry, vectors),
    )


def _outputs_text(unit: Unit, outputs: dict[str, int]) -> str:
    text = code_text(unit.out, outputs["result"], unit.out.bits)
    return text + (f", flags {flags_text(outputs['flags'])}" if "flags" in outputs else "")


def codes_text(inputs: Inputs) -> str:
    """Vectors as `--replay` takes them: ``a=0x3c,b=0x01``, steps of a sequence separated by semicolons."""
    flat = {name: np.ravel(array).tolist() for name, array in inputs.items()}
    return ";".join(",".join(f"{name}={code:#x}" for name, code in zip(flat, step, strict=True))
                    for step in zip(*flat.values(), strict=True))


def replay_command(unit: Unit, inputs: Inputs, index: int, entry: Entry, vectors: int | None) -> str:
    """The command line that runs this vector again; a long sequence is named by its index."""
    steps = next(iter(inputs.values())).size
    if steps <= _SHORT:
        what = codes_text(inputs)
    else:
        what = f"{index} --seed {entry.plan.seed}" + (f" --vectors {vectors}" if vectors is not None else "")
        return f"fpgen verify {shlex.quote(unit.text)} --replay {what} --waves"
    return f"fpgen verify {shlex.quote(unit.text)} --replay {shlex.quote(what)} --waves"
