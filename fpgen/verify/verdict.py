"""What a verification found, as data: printed, written as evidence, and read back from the cache."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from fpgen.base import html


@dataclass(frozen=True)
class Mismatch:
    """One wrong result.

    Attributes
    ----------
    index : int
        Of the vector in the run.
    family : str
        Of the stimulus.
    inputs : dict of str to str
        Port to code, as bits and value; of a sequence, the last step.
    expected, got : str
        Result and flags, as bits and values.
    rule : str
        The kind of rule it broke, as far as that is known.
    replay : str
        The command that runs exactly this vector again, with a waveform.
    """

    index: int
    family: str
    inputs: dict[str, str]
    expected: str
    got: str
    rule: str
    replay: str

    def _repr_html_(self) -> str:
        given = [("family", self.family), ("rule", self.rule), *self.inputs.items()]
        found = [("expected", self.expected), ("got", self.got), ("replay", self.replay)]
        return html.pairs([*given, *found], title=f"vector {self.index}")

    def text(self) -> str:
        lines = [f"vector {self.index} ({self.family}): {self.rule}"]
        lines += [f"  {name:<9} {code}" for name, code in self.inputs.items()]
        lines += [f"  expected  {self.expected}", f"  got       {self.got}", f"  replay    {self.replay}"]
        return "\n".join(lines)


@dataclass(frozen=True)
class ProtocolTest:
    """One test of reset, latency or handshake: its name, and what it said when it failed ('' when it passed)."""

    name: str
    failure: str


@dataclass(frozen=True)
class Verdict:
    """Whether a unit does what its golden model says.

    Attributes
    ----------
    unit : str
        The unit's text.
    passed : bool
    reason : str
        Why not; empty when it passed.
    method : str
        ``exhaustive`` (every code of every input), ``exhaustive over ...`` (some inputs take a few codes only),
        ``sampled`` or ``replay``.
    vectors : int
        Results compared.
    seed : int
    mismatch_count : int
    mismatches : tuple of Mismatch
        The first few.
    families : dict of str to int
        Vectors of each family of the stimulus.
    protocol : tuple of ProtocolTest
    lint : tuple of str
        Verilator's warnings about the Verilog.
    build_seconds, golden_seconds, simulation_seconds : float
        Building the simulation (0 when cached), stimulus and golden model, and the simulator's CPU time for the
        vectors.
    model_results : int
        Results on which the golden model was compared with the exact one; 0 for another golden model than fpgen's.
    simulator : str
        With its version.
    evidence : str
        Path of the JSON file that holds this verdict; empty before it is written.
    waveform : str
        Path of a VCD file, if one was asked for.
    cached : bool
        Whether it was found already: same unit, Verilog, stimulus and fpgen.
    """

    unit: str
    passed: bool
    reason: str
    method: str
    vectors: int
    seed: int
    mismatch_count: int = 0
    mismatches: tuple[Mismatch, ...] = ()
    families: dict[str, int] = dataclasses.field(default_factory=dict)
    protocol: tuple[ProtocolTest, ...] = ()
    lint: tuple[str, ...] = ()
    build_seconds: float = 0.0
    golden_seconds: float = 0.0
    simulation_seconds: float = 0.0
    model_results: int = 0
    simulator: str = ""
    evidence: str = ""
    waveform: str = ""
    cached: bool = False

    @property
    def how(self) -> str:
        """``exhaustive``, or ``sampled (n, seed s)``."""
        if self.method.startswith("exhaustive"):
            return self.method
        return f"{self.method} ({self.vectors}, seed {self.seed})"

    @property
    def summary(self) -> str:
        """One line."""
        if self.passed:
            count = len(self.protocol)
            tests = f", {count} protocol test{'s' if count > 1 else ''}" if count else ""
            return f"passed: {self.vectors:,} vectors, {self.method}{tests}{' (unchanged)' if self.cached else ''}"
        return f"FAILED: {self.reason}"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, Any]] = [
            ("verdict", self.summary),
            ("method", self.how),
            ("families", ", ".join(f"{name} {count:,}" for name, count in self.families.items())),
            ("protocol", ", ".join(f"{test.name}: {test.failure or 'passed'}" for test in self.protocol)),
            ("lint", "; ".join(self.lint)),
            ("simulator", self.simulator),
            ("evidence", self.evidence),
            ("waveform", self.waveform),
        ]
        whole = html.pairs([(label, text) for label, text in rows if text], title=self.unit)
        return whole + "".join(mismatch._repr_html_() for mismatch in self.mismatches)

    def text(self) -> str:
        """The whole of it, for a terminal."""
        lines = [
            self.unit,
            f"  {self.summary}",
            f"  {self.how}; {self.simulator}; build {self.build_seconds:.1f} s, "
            f"golden {self.golden_seconds:.1f} s, simulation {self.simulation_seconds:.1f} s",
        ]
        if self.model_results:
            lines.append(f"  golden model checked against the exact model on {self.model_results:,} results")
        lines += [f"  {test.name}: {test.failure}" for test in self.protocol if test.failure]
        lines += ["  " + line for mismatch in self.mismatches for line in mismatch.text().splitlines()]
        if self.waveform:
            lines.append(f"  waveform  {self.waveform}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Verdict:
        return cls(
            **{
                **plain,
                "mismatches": tuple(Mismatch(**entry) for entry in plain["mismatches"]),
                "protocol": tuple(ProtocolTest(**entry) for entry in plain["protocol"]),
                "lint": tuple(plain["lint"]),
            }
        )
