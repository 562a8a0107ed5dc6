"""Running one vector (or one sequence) again, with a waveform."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fpgen.base.cache import scratch
from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.ownership import is_plain, set_aside
from fpgen.golden.port_outputs import Golden, golden_outputs
from fpgen.simulate.simulator import build
from fpgen.simulate.wrapper import TOP, harness
from fpgen.units import Unit
from fpgen.vectors.layout import batch_shape, split
from fpgen.vectors.stimulus import Chunk, Inputs, Plan, plan, smallest

from .campaign import CampaignEntry, run_campaign
from .verdict import Verdict

_FIRST = 64


@dataclass(frozen=True)
class Given(Plan):
    """A plan of the given vectors and no others."""

    given: tuple[tuple[str, np.ndarray], ...] = ()

    @property
    def method(self) -> str:
        return "replay"

    @property
    def inputs(self) -> Inputs:
        return dict(self.given)

    @property
    def sizes(self) -> list[tuple[str, int]]:
        return [("replay", math.prod(self._shape))]

    @property
    def _shape(self) -> tuple[int, ...]:
        first = self.ports[0]
        return batch_shape(first, self.inputs[first.name])

    def chunks(self) -> Iterator[Chunk]:
        yield Chunk("replay", 0, self.inputs, self._shape)

    def find(self, index: int) -> tuple[str, Inputs]:
        if self.stateful:
            return "replay", {name: array[:, : index + 1] for name, array in self.inputs.items()}
        return "replay", {name: array[index : index + 1] for name, array in self.inputs.items()}


def rerun(
    unit: Unit,
    what: str | int | Inputs,
    *,
    simulator: str,
    vectors: int | None,
    seed: int,
    exhaustive: bool | None,
    fixed: Mapping[str, Sequence[int] | str] | None = None,
    keep: str | Path | None,
    golden: Golden | None,
    verilog: str | None,
) -> Verdict:
    """Run `what` (an index, codes as text, or arrays) with a waveform. Options as for `verify`.

    Returns
    -------
    Verdict
        Of method ``replay``; its `waveform` is ``<unit>.replay.vcd`` in `keep` or the working directory.

    Raises
    ------
    UsageError, MissingTool, RunFailure
    """
    whole = plan(unit, vectors=vectors, seed=seed, exhaustive=exhaustive, fixed=fixed)
    if isinstance(what, dict):
        inputs = what
    elif isinstance(what, int) or re.fullmatch(r"\s*\d+\s*", what):
        inputs = whole.find(int(what))[1]
    else:
        inputs = parse_codes(whole, what)
    given = Given(unit, False, seed, whole.random_vectors, given=tuple(inputs.items()))
    simulation = build(
        (unit.verilog() if verilog is None else verilog) + unit.wrapper_verilog(),
        harness([unit], [1], probes=False),
        TOP,
        simulator=simulator,
        waves=True,
    )
    directory = Path(keep) if keep is not None else Path.cwd()
    target = directory / f"{unit.name}.replay.vcd"
    with scratch("replay") as where:
        entry = CampaignEntry(unit, given, 1, golden or golden_outputs)
        run_campaign(simulation, [entry], where, protocol=False, vcd=where / "waves.vcd")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(target) and not _is_waveform(target):
                set_aside(target, lambda line: warnings.warn(line, stacklevel=2))
            aside = target.with_name(f".tmp-{target.name}")
            shutil.move(where / "waves.vcd", aside)
            aside.replace(target)
        except OSError as error:
            raise RunFailure(f"writing {target}: {error.strerror}") from None
    from .verify import judge

    return dataclasses.replace(judge(entry, simulation, vectors), waveform=str(target))


def _is_waveform(path: Path) -> bool:
    """Whether it is a VCD file, as an earlier run left it (IEEE 1364: it begins with a keyword such as `$date`)."""
    if not is_plain(path):
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] in (b"$", b"")


def first_vectors(whole: Plan) -> Inputs:
    """The first vectors (or the first sequence) of a plan."""
    inputs = next(whole.chunks()).inputs
    return {name: array[:1] if whole.stateful else array[:_FIRST] for name, array in inputs.items()}


def parse_codes(whole: Plan, text: str) -> Inputs:
    """Vectors from ``a=0x3c,b=1``; steps separated by semicolons; a control left out is 0.

    The codes of an array port are one number, as on its pins: the first in the lowest bits.

    Raises
    ------
    UsageError
    """
    ports = {port.name: port for port in whole.ports}
    needed = list(whole.unit.operands)
    columns: dict[str, list[int]] = {name: [] for name in ports}
    for step in text.split(";"):
        given = {}
        for word in step.split(","):
            name, equals, digits = (part.strip() for part in word.partition("="))
            try:
                code = int(digits, 0)
            except ValueError:
                code = -1
            if name not in ports or not equals or not 0 <= code < 1 << ports[name].width:
                raise UsageError(
                    f"replay: got {word.strip()!r}; expected an index, or codes of {', '.join(ports)} such as "
                    f"{','.join(f'{n}=0x1' for n in needed)}"
                )
            given[name] = code
        missing = [name for name in needed if name not in given]
        if missing:
            raise UsageError(
                f"replay: got no code of {', '.join(missing)}; expected one for every operand ({', '.join(needed)})"
            )
        for name, column in columns.items():
            column.append(given.get(name, 0))
    arrays: Inputs = {}
    for name, column in columns.items():
        port = ports[name]
        codes = [split(port, word) for word in column] if port.shape else column
        arrays[name] = np.array(codes, smallest(port.element_width)).reshape(len(column), *port.shape)
    return {name: array[None, :] for name, array in arrays.items()} if whole.stateful else arrays
