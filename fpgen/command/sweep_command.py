"""What the commands `sweep`, `compare` and `report` do once their arguments are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fpgen.base.places import check_directory

from .failure import FAILURE


def sweep(file: Path, *, dry_run: bool, as_json: bool, **options: Any) -> None:
    """`fpgen sweep`."""
    from fpgen.sweep.cases import cases, check_measure
    from fpgen.sweep.spec import load
    from fpgen.sweep.sweep_run import Progress, run_sweep

    from . import show_sweep

    found = load(file)
    if dry_run:
        listed = cases(found, full=options["full"])
        check_measure(found, listed)
        if as_json:
            click.echo(
                json.dumps(
                    [
                        {"parameters": case.parameters, "unit": case.text, "rejection": case.rejection or None}
                        for case in listed
                    ],
                    indent=2,
                )
            )
        else:
            show_sweep.points(found, listed)
        return
    last = Progress(0, 0)
    try:
        with show_sweep.progress(found, quiet=as_json) as progress:

            def follow(step: Progress) -> None:
                nonlocal last
                last = step
                progress(step)

            result = run_sweep(found, progress=follow, **options)
    except KeyboardInterrupt:
        if last.total:
            click.echo(
                f"{last.done} of {last.total} points are done and kept; the same command resumes from there", err=True
            )
        raise
    if as_json:
        click.echo(json.dumps(result.records, indent=2))
    else:
        show_sweep.result(result)
    if not any(record["status"] == "ok" for record in result.records):
        raise SystemExit(FAILURE)


def compare(before: Path, after: Path, *, rules: Path | None, everything: bool, as_json: bool) -> None:
    """`fpgen compare`."""
    from fpgen.sweep import store
    from fpgen.sweep.compare import compare as compared
    from fpgen.sweep.compare import load_rules

    from . import show_sweep

    found = compared(store.read(before), store.read(after), load_rules(rules))
    if as_json:
        click.echo(json.dumps(found.to_dict() | {"regressions": len(found.regressions)}, indent=2))
    else:
        show_sweep.comparison(found, everything=everything)
    if not found.passed:
        raise SystemExit(FAILURE)


def report(given: Path, output: Path | None, title: str | None) -> None:
    """`fpgen report`."""
    from fpgen.report import page
    from fpgen.sweep import store

    path = store.locate(given)
    where = output or path.with_name(f"{path.stem}_report")
    check_directory("output", where)
    records = store.read(path)
    written = page.write(records, where, store=path.name, title=title, progress=lambda line: click.echo(line, err=True))
    if not written.usable:
        click.echo(f"{path}: none of {written.records} records has figures; the page lists the reasons", err=True)
    click.echo(f"{written.page}: {written.records} records, {len(written.files) // 2} plots (SVG and PNG beside it)")
