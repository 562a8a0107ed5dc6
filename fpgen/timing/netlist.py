"""A flat netlist of library cells: nets by number, instances by cell type."""

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.places import place_of
from fpgen.library.cells import Library

from .structural import parse
from .verilog_tokens import Tokens

_GZIP = b"\x1f\x8b"
_LARGEST = 1 << 30  # bytes of unpacked text
# Numbers of the nets that carry a constant; x and z count as an unknown constant.
ZERO, ONE, UNKNOWN = 0, 1, 2


@dataclass(frozen=True)
class Instance:
    """One cell: its hierarchical name, its library cell, and the net number at each connected signal pin."""

    name: str
    cell: str
    pins: Mapping[str, int]


@dataclass(frozen=True)
class Netlist:
    """A flat netlist.

    Attributes
    ----------
    top : str
    net_names : tuple of str
        Name of each net; nets 0, 1 and 2 are the constants 0, 1 and unknown.
    inputs, outputs : mapping of str to int
        Port bit (`a[3]`, or `clk` for a scalar) -> net number, in port order; an inout port is in both. Ports that
        are a supply, or are tied to a constant, are not inputs.
    instances : tuple of Instance
    notes : tuple of str
        What was passed over or decided while reading, for the user.
    left_out : tuple of str
        Cells and modules without timing that were left out because the caller allowed it.
    """

    top: str
    net_names: tuple[str, ...] = field(repr=False)
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    instances: tuple[Instance, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def read_file(
    path: Path | str,
    top: str | None = None,
    library: Library | None = None,
    *,
    black_boxes: Sequence[str] = (),
    ignore_missing: bool = False,
) -> Netlist:
    """The netlist in a structural Verilog file (gzip accepted); parameters as those of `from_text`.

    Raises
    ------
    RunFailure
        When the file cannot be read, or is not structural Verilog.
    UsageError
        When it has no module `top`.
    """
    path = place_of("netlist", path)
    try:
        raw = path.read_bytes()
        if raw[:2] == _GZIP:
            with gzip.open(io.BytesIO(raw)) as file:
                raw = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RunFailure(f"cannot read the netlist {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > _LARGEST:
        raise RunFailure(f"the netlist {path}: got more than {_LARGEST >> 20} MiB unpacked; expected less")
    text = raw.decode("utf-8", errors="replace")
    return from_text(text, top, str(path), library, black_boxes=black_boxes, ignore_missing=ignore_missing)


def from_text(
    text: str,
    top: str | None = None,
    source: str = "netlist",
    library: Library | None = None,
    *,
    black_boxes: Sequence[str] = (),
    ignore_missing: bool = False,
) -> Netlist:
    """The netlist in a structural Verilog text, flattened below `top`.

    Parameters
    ----------
    text : str
    top : str, optional
        Default: the only module that no other one contains, those of library cells and without contents aside.
    source : str
        What messages call the text.
    library : Library, optional
        Where the cells are looked up: their power pins, buses and order of pins, and which modules are cells. Without
        it every instance of what is not a module here is taken as a cell with the pins it is given.
    black_boxes : sequence of str
        Names, or patterns (`*`, `?`, `[...]`), of cells without Liberty and modules without contents that may be left
        out together with all paths through them.
    ignore_missing : bool
        Whether all cells that are neither in the library nor in the text may be left out.

    Raises
    ------
    RunFailure, UsageError
        As `read_file`.
    """
    from .flatten import Flattener

    tokens = Tokens(text, source)
    modules = parse(tokens)
    flattener = Flattener(modules, tokens, library, black_boxes, ignore_missing)
    if top is None:
        possible = flattener.tops()
        if len(possible) != 1:
            raise UsageError(
                f"{source}: top module: got several modules; expected the name of one: {', '.join(possible or modules)}"
            )
        top = possible[0]
    elif top not in modules:
        raise UsageError(f"{source}: top module: got {top!r}; expected one of {', '.join(modules)}")
    return flattener.netlist(top)
