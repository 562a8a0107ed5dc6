"""Cell libraries of installed PDKs, found by name below `PDK_ROOT`: `sky130A`, `gf180mcuD`, `ihp-sg13g2`.

The layout is that of open_pdks, as `ciel` (formerly `volare`) installs it:

    PDK_ROOT/sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib
                     libs.tech/openlane/sky130_fd_sc_hd/no_synth.cells        cells that synthesis leaves out

`PDK_ROOT/sky130A` is a link to the version that was enabled; where none was, a single version below
`PDK_ROOT/ciel/sky130/versions/` (or `volare/`) will do.

A name may continue with a cell library and a corner of it: `sky130A/sky130_fd_sc_hs`,
`sky130A/sky130_fd_sc_hd/ss_100C_1v60`. Without them: the library and the typical corner that the PDK's own flow
takes.

Source: the `config.tcl` of each PDK in open_pdks and IHP-Open-PDK (`STD_CELL_LIBRARY`, `LIB_SYNTH`,
`SYNTH_EXCLUDED_CELL_FILE`).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fpgen.base.errors import UsageError

# The cell library that each PDK's own flow takes.
DEFAULT_LIBRARIES: Mapping[str, str] = {
    **dict.fromkeys(("sky130A", "sky130B"), "sky130_fd_sc_hd"),
    **dict.fromkeys(("gf180mcuA", "gf180mcuB", "gf180mcuC", "gf180mcuD"), "gf180mcu_fd_sc_mcu7t5v0"),
    "ihp-sg13g2": "sg13g2_stdcell",
}
# Typical corners, the one to take first.
_TYPICAL = ("tt_025C_1v80", "tt_025C_5v00", "tt_025C_3v30", "typ_1p20V_25C", "typ_1p50V_25C")
_ANY_TYPICAL = re.compile(r"(tt|typ|nom).*25C|25C.*(tt|typ|nom)", re.IGNORECASE)
_EXCLUDED = ("synth_exclude.cells", "no_synth.cells")
_SUFFIXES = (".lib", ".lib.gz")


@dataclass(frozen=True)
class CellLibrary:
    """A Liberty file of a PDK.

    Attributes
    ----------
    name : str
        `<pdk>/<library>/<corner>`.
    liberty : Path
    dont_use : tuple of str
        Cells (patterns) that the PDK's flow leaves out of synthesis.
    """

    name: str
    liberty: Path
    dont_use: tuple[str, ...]


def root() -> Path | None:
    """The directory `PDK_ROOT`; None when it is not set."""
    given = os.environ.get("PDK_ROOT")
    return Path(given).expanduser() if given else None


def names() -> list[str]:
    """The PDKs there are below `PDK_ROOT`."""
    place = root()
    if place is None:
        return []
    found = {
        path.parent.name
        for pattern in ("*/libs.ref", "ciel/*/versions/*/*/libs.ref", "volare/*/versions/*/*/libs.ref")
        for path in place.glob(pattern)
        if path.is_dir()
    }
    return sorted(found)


def find(name: str) -> CellLibrary:
    """The cell library that a name means.

    Raises
    ------
    UsageError
        When `PDK_ROOT` is not set, or has no such PDK, library or corner.
    """
    place = root()
    pdk, *rest = name.split("/")
    if place is None:
        raise UsageError(
            f"technology {name}: PDK_ROOT is not set; expected it to name the directory that PDKs are installed in"
        )
    if not place.is_dir():
        raise UsageError(
            f"technology {name}: got PDK_ROOT={place}, not a directory; expected the directory with installed PDKs"
        )
    if len(rest) > 2 or not all((pdk, *rest)) or {".", ".."} & {pdk, *rest}:
        raise UsageError(f"technology: got {name!r}; expected PDK, PDK/LIBRARY or PDK/LIBRARY/CORNER")
    directory = _pdk(place, pdk)
    libraries = sorted(
        {path.parent.parent.name for path in directory.glob("libs.ref/*/lib/*") if path.name.endswith(_SUFFIXES)}
    )
    if not libraries:
        raise UsageError(
            f"technology {name}: {directory} has no Liberty file libs.ref/LIBRARY/lib/*.lib (gzip accepted)"
        )
    library = rest[0] if rest else _default(pdk, libraries, directory)
    if library not in libraries:
        raise UsageError(
            f"technology {name}: got the cell library {library} of {directory}; expected one of {', '.join(libraries)}"
        )
    corner, liberty = _corner(directory / "libs.ref" / library / "lib", library, rest[1] if len(rest) == 2 else None)
    return CellLibrary(f"{pdk}/{library}/{corner}", liberty, _excluded(directory, library))


def _pdk(place: Path, pdk: str) -> Path:
    """Directory of a PDK."""
    if (place / pdk / "libs.ref").is_dir():
        return place / pdk
    versions = sorted(
        path
        for manager in ("ciel", "volare")
        for path in place.glob(f"{manager}/*/versions/*/*")
        if path.name == pdk and (path / "libs.ref").is_dir()
    )
    if len(versions) > 1:
        raise UsageError(
            f"technology {pdk}: {place} has {len(versions)} versions of it and none is enabled; "
            f"expected one enabled ('ciel enable' makes it {place / pdk})"
        )
    if not versions:
        raise UsageError(
            f"technology {pdk}: PDK_ROOT ({place}) has no PDK of that name with a directory libs.ref; "
            f"expected one of {', '.join(names()) or '(none)'}"
        )
    return versions[0]


def _default(pdk: str, libraries: list[str], directory: Path) -> str:
    """The library to take when none was named."""
    if DEFAULT_LIBRARIES.get(pdk) in libraries:
        return DEFAULT_LIBRARIES[pdk]
    if len(libraries) != 1:
        raise UsageError(
            f"technology {pdk}: {directory} has {len(libraries)} cell libraries, none of them the usual "
            f"one; expected one of {', '.join(f'{pdk}/{library}' for library in libraries)}"
        )
    return libraries[0]


def _corner(directory: Path, library: str, wanted: str | None) -> tuple[str, Path]:
    """Name and file of a corner; of the typical one when none was named."""
    corners = {
        re.sub(rf"^{re.escape(library)}_+|\.lib(\.gz)?$", "", path.name): path
        for path in sorted(directory.glob("*"), reverse=True)
        if path.name.endswith(_SUFFIXES)
    }
    if wanted is not None:
        if wanted not in corners:
            raise UsageError(
                f"corner of {library}: got {wanted}; expected one of {', '.join(sorted(corners))} ({directory})"
            )
        return wanted, corners[wanted]
    for corner in _TYPICAL:
        if corner in corners:
            return corner, corners[corner]
    typical = sorted(corner for corner in corners if _ANY_TYPICAL.search(corner))
    if len(typical) != 1 and len(corners) != 1:
        raise UsageError(
            f"{library}: {directory} has {len(typical)} corners that look typical; expected one of "
            f"{', '.join(sorted(corners))}"
        )
    corner = (typical or list(corners))[0]
    return corner, corners[corner]


def _excluded(directory: Path, library: str) -> tuple[str, ...]:
    """Cells that the PDK's flow leaves out, from whichever list of its flow exists."""
    for flow in ("librelane", "openlane"):
        for name in _EXCLUDED:
            try:
                text = (directory / "libs.tech" / flow / library / name).read_text(errors="replace")
            except OSError:
                continue
            return tuple(word for line in text.splitlines() if (word := line.split("#")[0].strip()))
    return ()
