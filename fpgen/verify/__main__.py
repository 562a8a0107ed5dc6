"""``python -m fpgen.verify [slice|full]``: the regression list, with progress and one table at the end."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..errors import FpgenError, UsageError
from .lists import LEVELS
from .regression import Regression, group_table, markdown, run_regression
from .store import write_whole


@click.command()
@click.argument("level", type=click.Choice(LEVELS), default="slice")
@click.option("--list", "path", type=click.Path(path_type=Path), help="A regression list; default sim/regression.toml.")
@click.option("--simulator", default="verilator", show_default=True, help="verilator or icarus.")
@click.option("--jobs", default=2, show_default=True, help="Processes at once.")
@click.option("--force", is_flag=True, help="Run again what passed before unchanged.")
@click.option("--markdown", "page", type=click.Path(path_type=Path), help="Write the result as a Markdown page.")
def main(level: str, path: Path | None, simulator: str, jobs: int, force: bool, page: Path | None):
    """Verify every unit of the regression list in simulation; exit code 1 if one fails."""
    console = Console()
    try:
        regression = _run(console, level, path, simulator, jobs, force)
        if page is not None:
            write_whole(page, markdown(regression))
    except FpgenError as error:
        console.print(f"fpgen: {error}", markup=False, highlight=False)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    _show(console, regression)
    sys.exit(0 if regression.passed else 1)


def _run(console: Console, level: str, path: Path | None, simulator: str, jobs: int, force: bool) -> Regression:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("verifying", total=None)

        def tell(rows, done, total):
            bar.update(task, completed=done, total=total, description=rows[-1].unit[:60])
            for row in rows:
                if not row.passed:
                    bar.console.print(f"FAILED {row.unit}: {row.reason}", markup=False, highlight=False)

        return run_regression(level, path=path, simulator=simulator, jobs=jobs, force=force, tell=tell)


def _show(console: Console, regression: Regression):
    table = Table(title=f"{len(regression.rows):,} units, {regression.vectors:,} vectors, {regression.seconds:.0f} s")
    for name in ("group", "units", "vectors", "how", "result"):
        table.add_column(name, justify="right" if name in ("units", "vectors") else "left")
    for cells in group_table(regression):
        table.add_row(*cells, style="red" if "FAILED" in cells[-1] else None)
    console.print(table)
    console.print("passed" if regression.passed else f"{len(regression.failures)} FAILED")


if __name__ == "__main__":
    main()
