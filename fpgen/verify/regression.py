"""Verifying many units: a few to each simulation build, two builds at a time, and one table at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from fpgen.base import workers
from fpgen.base.errors import FpgenError
from fpgen.units import Role, parse_unit

from .lists import Fixed, Group, load_groups
from .verdict import Verdict

#: How a report begins.
HEADING = "# Result of `make sim"

#: Units to a simulation build, by the width of their widest port.
_BATCH = ((8, 24), (16, 12), (32, 4), (1 << 30, 1))


@dataclass(frozen=True)
class UnitRow:
    """One unit of a regression: its group, its verdict, or why there is none."""

    group: str
    unit: str
    verdict: Verdict | None
    failure: str = ""

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.passed

    @property
    def reason(self) -> str:
        """Why it did not pass; empty when it did."""
        return self.failure if self.verdict is None else self.verdict.reason


@dataclass(frozen=True)
class Regression:
    """What a regression found."""

    level: str
    rows: tuple[UnitRow, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return bool(self.rows) and all(row.passed for row in self.rows)

    @property
    def vectors(self) -> int:
        return sum(row.verdict.vectors for row in self.rows if row.verdict)

    @property
    def failures(self) -> tuple[UnitRow, ...]:
        return tuple(row for row in self.rows if not row.passed)


@dataclass(frozen=True)
class _Batch:
    numbers: tuple[int, ...]  # of the rows
    texts: tuple[str, ...]
    vectors: int | None
    seed: int
    fixed: Fixed
    simulator: str
    force: bool


#: Called with the rows that just finished, how many are done, and how many there are.
Progress = Callable[[Sequence[UnitRow], int, int], None]


def run_regression(
    level: str = "slice",
    *,
    path: Path | None = None,
    simulator: str = "verilator",
    jobs: int = 2,
    force: bool = False,
    progress: Progress | None = None,
) -> Regression:
    """Verify all units of a level of the regression list; a failure does not stop the others.

    Parameters
    ----------
    level : str
        ``slice`` or ``full``.
    path : Path, optional
        Default: `sim/regression.toml`.
    simulator : str
    jobs : int
        Processes at once.
    force : bool
        Run again what passed before unchanged.
    progress : callable, optional

    Raises
    ------
    UsageError, MissingTool
        Of the list itself; units report theirs in their rows.
    """
    started = time.monotonic()
    groups = load_groups(path, level=level)
    rows = [UnitRow(group.name, unit.text, None) for group in groups for unit in group.units]
    batches = _batches(groups, simulator, force)
    done = 0
    with workers.pool(max(1, jobs)) as pool:
        pending = {pool.submit(workers.run_task, _work, batch): batch for batch in batches}
        for future in as_completed(pending):
            batch = pending[future]
            for number, (verdict, failure) in zip(batch.numbers, future.result(), strict=True):
                rows[number] = UnitRow(rows[number].group, rows[number].unit, verdict, failure)
            done += len(batch.numbers)
            if progress:
                progress([rows[number] for number in batch.numbers], done, len(rows))
    return Regression(level, tuple(rows), time.monotonic() - started)


def _batches(groups: Sequence[Group], simulator: str, force: bool) -> list[_Batch]:
    """Units with equal settings and similar size together; the widest first, so that no worker ends alone."""
    kinds: dict[tuple[int, int | None, int, Fixed], list[tuple[int, str, str]]] = {}
    number = 0
    for group in groups:
        for unit in group.units:
            width = max(port.width for port in unit.ports if port.role in (Role.OPERAND, Role.RESULT))
            most = next(count for limit, count in _BATCH if width <= limit)
            kinds.setdefault((most, group.vectors, group.seed, group.fixed), []).append((number, unit.text, unit.name))
            number += 1
    batches = []
    for (most, vectors, seed, fixed), members in sorted(kinds.items(), key=lambda item: item[0][0]):
        seen: dict[str, int] = {}
        parts: list[list[tuple[int, str]]] = [[]]
        for one, text, name in members:
            if name in seen:  # a unit of two groups: two modules of one name cannot share a build
                parts.append([(one, text)])
                continue
            seen[name] = one
            if len(parts[0]) == most:
                parts.insert(0, [])
            parts[0].append((one, text))
        batches += [
            _Batch(tuple(n for n, _ in part), tuple(t for _, t in part), vectors, seed, fixed, simulator, force)
            for part in parts
            if part
        ]
    return batches


def _work(batch: _Batch) -> list[tuple[Verdict | None, str]]:
    """Verify a batch; if the simulation as a whole fails, each unit alone, so that one does not hide the others."""
    from .verify import verify_many

    options = {
        "vectors": batch.vectors,
        "seed": batch.seed,
        "simulator": batch.simulator,
        "force": batch.force,
        "fixed": dict(batch.fixed),
    }
    try:
        verdicts = verify_many([parse_unit(text) for text in batch.texts], **options)  # type: ignore[arg-type]
        return [(verdict, "") for verdict in verdicts]
    except Exception:
        found: list[tuple[Verdict | None, str]] = []
        for text in batch.texts:
            try:
                found.append((verify_many([parse_unit(text)], **options)[0], ""))  # type: ignore[arg-type]
            except FpgenError as error:
                found.append((None, str(error)))
            except Exception as error:  # the generator itself failed: report it, continue
                found.append((None, f"{type(error).__name__}: {error}"))
        return found


# ---- tables -------------------------------------------------------------------------


def group_table(regression: Regression) -> list[tuple[str, str, str, str, str]]:
    """(group, units, vectors, how, result) of each group."""
    table = []
    for name in dict.fromkeys(row.group for row in regression.rows):
        rows = [row for row in regression.rows if row.group == name]
        verdicts = [row.verdict for row in rows if row.verdict]
        how = ", ".join(
            f"{count} {method}"
            for method in dict.fromkeys(
                [
                    "exhaustive",
                    *sorted(verdict.method for verdict in verdicts if verdict.method != "sampled"),
                    "sampled",
                ]
            )
            if (count := sum(verdict.method == method for verdict in verdicts))
        )
        bad = sum(not row.passed for row in rows)
        table.append(
            (
                name,
                str(len(rows)),
                f"{sum(verdict.vectors for verdict in verdicts):,}",
                how or "-",
                f"{bad} FAILED" if bad else "passed",
            )
        )
    return table


def markdown(regression: Regression) -> str:
    """The result as a page: a table of groups, the failures, and every unit."""
    simulators = sorted({row.verdict.simulator for row in regression.rows if row.verdict})
    lines = [
        f"{HEADING}{'-full' if regression.level == 'full' else ''}`",
        "",
        f"{len(regression.rows):,} units, {regression.vectors:,} vectors, "
        f"{len(regression.failures)} failed. {', '.join(simulators)}.",
        "",
        "`exhaustive`: every code of every input (operands, rounding mode, random bits, subtract) was simulated, "
        "result and flags compared with the golden model. `exhaustive over ...`: every code of the inputs named "
        "there, with a few codes of the others. `sampled`: directed families and constrained random.",
        "",
        "| group | units | vectors | how | result |",
        "|---|---:|---:|---|---|",
    ]
    lines += [f"| {' | '.join(cells)} |" for cells in group_table(regression)]
    failed = [f"- `{row.unit}`: {row.reason.splitlines()[0]}" for row in regression.failures]
    if failed:
        lines += ["", "## Failed", "", *failed]
    lines += ["", "## Every unit", "", "| unit | vectors | how | result |", "|---|---:|---|---|"]
    for row in regression.rows:
        vectors, how = (f"{row.verdict.vectors:,}", row.verdict.method) if row.verdict else ("-", "-")
        lines.append(f"| `{row.unit}` | {vectors} | {how} | {'passed' if row.passed else 'FAILED'} |")
    return "\n".join(lines) + "\n"
