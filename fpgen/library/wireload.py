"""Wire load by fanout: an estimate of what a net's wires add, before anything is placed.

A model gives a wire length for each fanout, and capacitance and resistance per length. Libraries bring some
(`wire_load` groups); the plainest one is a number of fF for each pin that a net drives.

The net's driver sees the whole capacitance. Each branch has an equal share of capacitance and resistance (the
"balanced tree" of Liberty) and adds its Elmore delay, `R/n * (C/n + pin)`; it does not slow the edge down.

Source: Liberty User Guide, vol. 1, "Defining Wire Load Groups".
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.errors import RunFailure, UsageError

if TYPE_CHECKING:
    from .cells import Library
    from .nldm import Floats

_NAME = "fpgen_wire_load"
_HEAD = re.compile(r"/\*.*?\*/|//[^\n]*|(?P<head>\blibrary\s*\([^)]*\)\s*\{)", re.DOTALL)
_DEFAULT = re.compile(r"\bdefault_wire_load(?:_selection)?\s*:[^;\n]*;?")
_UNIT = re.compile(r"\bcapacitive_load_unit\s*\(\s*\"?([\d.eE+-]+)\"?\s*,\s*\"?(ff|pf|nf)\"?\s*\)", re.IGNORECASE)
_FARADS = {"ff": 1.0, "pf": 1e3, "nf": 1e6}


@dataclass(frozen=True)
class WireLoad:
    """One model.

    Attributes
    ----------
    name : str
        The library's name for it, or `1.5 fF per fanout`.
    lengths : tuple of (float, float)
        Fanout and length, fanouts rising; between them lengths are interpolated.
    slope : float
        Length for each pin beyond the last fanout (and taken off below the first one).
    cap_ff, res_kohm : float
        Per length.
    """

    name: str
    lengths: tuple[tuple[float, float], ...]
    slope: float
    cap_ff: float
    res_kohm: float = 0.0

    def length(self, fanout: "NDArray[np.int64]") -> "Floats":
        """Length of nets of these fanouts; 0 for a net that drives nothing."""
        count = fanout.astype(float)
        known, lengths = (np.array(column) for column in zip(*self.lengths, strict=True))
        found = np.interp(count, known, lengths)
        found = np.where(count > known[-1], lengths[-1] + (count - known[-1]) * self.slope, found)
        found = np.where(count < known[0], lengths[0] - (known[0] - count) * self.slope, found)
        return np.where(count > 0, np.maximum(found, 0.0), 0.0)


def per_fanout(cap_ff: float) -> WireLoad:
    """The model that gives a net `cap_ff` fF for each pin it drives, and no resistance."""
    return WireLoad(f"{cap_ff:g} fF per fanout", ((1.0, 1.0), (2.0, 2.0)), 1.0, cap_ff)


def resolve(given: "WireLoad | str | float | None", library: "Library") -> WireLoad | None:
    """The model meant by a number (fF for each pin that a net drives), a name of the library's, or `none`.

    Raises
    ------
    UsageError
        When it is neither.
    """
    if given is None or isinstance(given, WireLoad):
        return given
    text = str(given).strip()
    if text in library.wire_loads:
        return library.wire_loads[text]
    if text.lower() == "none":
        return None
    try:
        value = float(re.sub(r"\s*ff$", "", text, flags=re.IGNORECASE))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        named = ", ".join(library.wire_loads) or "none"
        raise UsageError(
            f"wire load: got {text!r}; expected 0 or more fF for each pin that a net drives, or a model of "
            f"the library {library.name} ({named})"
        )
    return per_fanout(value) if value else None


def mapping_liberty(liberty: Path, library: "Library", model: WireLoad) -> Path:
    """A copy of a Liberty file whose default wire load is `model`, for ABC (which takes no other); in the cache.

    Raises
    ------
    RunFailure
        When the file has no head to write the model into.
    """
    try:
        text = liberty.read_text(errors="replace")
    except OSError as error:
        raise RunFailure(f"cannot read the Liberty file {liberty}: {error.strerror}") from None
    target = cache_dir("liberty") / f"{digest(text, repr(model))}.wire.lib"
    if target.exists():
        return target
    head = next((found for found in _HEAD.finditer(text) if found["head"]), None)
    if head is None:
        raise RunFailure(f"the Liberty file {liberty} has no library group to write a wire load into")
    unit = _UNIT.search(text)
    scale = float(unit[1]) * _FARADS[unit[2].lower()] if unit else 1e3
    points = " ".join(f"fanout_length ({fanout:g}, {length:g});" for fanout, length in model.lengths)
    group = (
        f'\n  default_wire_load : "{_NAME}";\n  wire_load ("{_NAME}") {{ capacitance : {model.cap_ff / scale:g}; '
        f"resistance : 0; slope : {model.slope:g}; {points} }}\n"
    )
    write_whole(target, text[: head.end()] + group + _DEFAULT.sub("", text[head.end() :]))
    return target
