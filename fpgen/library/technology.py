"""A technology: a cell library with the drive and load that figures are stated under.

Built in are two compact cell tables of our own (`synth/tech/*.toml`), which `fpgen.library.celltable` turns into
Liberty; any Liberty file serves as well, and the libraries of installed PDKs are found by name
(`fpgen.library.pdk`).
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from fpgen.base.cache import cache_dir, write_whole
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir

from . import celltable, liberty, pdk
from .cells import DEFAULT_LOAD_FF, Cell, Library

DEFAULT = "fpgen45"

# Built-in technologies that this process has read.
_loaded: "dict[str, Technology]" = {}


@dataclass(frozen=True)
class Technology:
    """A cell library and what surrounds a unit.

    Attributes
    ----------
    name : str
    liberty : Path
        Text of fpgen's own for Yosys and ABC: `fpgen.library.liberty_write`.
    library : Library
    driving_cell : str
        Cell at each input.
    output_load_ff : float
        Capacitance at each output.
    dont_use : tuple of str
        Cells to avoid beyond those the library marks itself.
    source : Path, optional
        The Liberty file as it was given, which has the tables of power; default `liberty`.
    """

    name: str
    liberty: Path
    library: Library
    driving_cell: str
    output_load_ff: float
    dont_use: tuple[str, ...] = ()
    source: Path | None = None


def names() -> list[str]:
    """The built-in technologies."""
    return sorted(path.stem for path in (resource_dir("synth") / "tech").glob("*.toml"))


def load(name: str = DEFAULT) -> Technology:
    """A built-in technology, or that of an installed PDK (`sky130A`, `sky130A/sky130_fd_sc_hs`).

    Raises
    ------
    UsageError
        When there is none of that name, or its library is unusable.
    """
    if name not in names():
        return _of_pdk(name)
    known = _loaded.get(name)
    if known is not None and known.liberty.exists():
        return known
    table = celltable.read(resource_dir("synth") / "tech" / f"{name}.toml")
    text = celltable.to_liberty(table)
    library = liberty.from_text(text, f"built-in technology {name}")
    path = cache_dir("liberty") / f"{name}-{library.content_hash}.lib"
    if not path.exists():
        write_whole(path, text)
    _loaded[name] = Technology(name, path, library, table.driving_cell, table.output_load_ff)
    return _loaded[name]


def _of_pdk(name: str) -> Technology:
    """The technology of an installed PDK."""
    if pdk.root() is None or name.split("/")[0] not in (*pdk.names(), *pdk.DEFAULT_LIBRARIES):
        usual = (
            f"; below PDK_ROOT, {', '.join(pdk.names()) or 'none'}"
            if pdk.root() is not None
            else f"; with PDK_ROOT set, also {', '.join(pdk.DEFAULT_LIBRARIES)}"
        )
        close = difflib.get_close_matches(str(name), [*names(), *pdk.names(), *pdk.DEFAULT_LIBRARIES], n=1)
        suggestion = f" (did you mean {close[0]}?)" if close and close[0] != name else ""
        raise UsageError(
            f"technology: got {name!r}{suggestion}; expected one of {', '.join(names())}{usual}; "
            "or the Liberty file of another one"
        )
    found = pdk.find(name)
    return replace(from_liberty(found.liberty, dont_use=found.dont_use), name=found.name)


def from_liberty(
    path: Path | str,
    *,
    driving_cell: str | None = None,
    output_load_ff: float = DEFAULT_LOAD_FF,
    dont_use: Sequence[str] = (),
) -> Technology:
    """The technology of a Liberty file (gzip accepted).

    Parameters
    ----------
    path : path
    driving_cell : str, optional
        Default: `default_driver`.
    output_load_ff : float
    dont_use : sequence of str
        Names, or patterns with `*`, of cells to avoid.

    Raises
    ------
    UsageError
        When the file is no Liberty file, or is damaged, or lacks what synthesis needs; when the load is negative, or
        the driving cell is not in the library.
    RunFailure
        When the file is there and cannot be read.
    """
    if not 0 <= output_load_ff < 1e9:
        raise UsageError(f"output load: got {output_load_ff} fF; expected 0 or more")
    library = liberty.load(path)
    if driving_cell is not None and driving_cell not in library.cells:
        raise UsageError(library.lacks_driver(driving_cell))
    library.check_gates()
    avoid = tuple(sorted(name for name in library.cells if any(fnmatchcase(name, item) for item in dont_use)))
    driver = driving_cell or default_driver(library).name
    return Technology(
        library.name, liberty.mapping_file(library), library, driver, output_load_ff, avoid, Path(path).absolute()
    )


def default_driver(library: Library) -> Cell:
    """The plainest buffer with about twice the drive of the smallest one (`BUF_X2` of a usual library).

    Raises
    ------
    UsageError
        When the library has no buffer.
    """
    found = {cell.name: _drive(cell) for cell in library.buffers()}
    found = {name: figures for name, figures in found.items() if figures[0] > 0}
    # Delay cells are buffers too, of the slow kind.
    drives = {
        name: drive for name, (drive, idle) in found.items() if idle <= 2 * min(other for _, other in found.values())
    }
    if not drives:
        raise UsageError(
            f"the library {library.name} ({library.source}) has no usable buffer; "
            "expected the name of another driving cell"
        )
    wanted = 2 * drives[next(iter(drives))]
    near = [name for name in drives if 0.75 < drives[name] / wanted < 1.3]
    if near:  # of several, the plain one: not the clock's, nor one for a second supply
        return min((library.cells[name] for name in near), key=lambda cell: (cell.area, len(cell.name), cell.name))
    return library.cells[min(drives, key=lambda name: abs(drives[name] - wanted))]


def _drive(cell: Cell) -> tuple[float, float]:
    """Drive strength in fF per ps (load over the delay that it adds), and least delay in ps; both edges summed."""
    for arc in cell.arcs:
        if arc.rise_delay is not None and arc.fall_delay is not None:
            slew, load = float(arc.rise_delay.x[0]), float(arc.rise_delay.y[-1])
            low = float(arc.rise_delay.y[0])
            most, least = (arc.rise_delay.at(slew, at) + arc.fall_delay.at(slew, at) for at in (load, low))
            return ((load - low) / (most - least) if most > least else 0.0), least
    return 0.0, 0.0
