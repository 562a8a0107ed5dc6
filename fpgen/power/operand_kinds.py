"""What a user says of a unit's operands for power: a kind with its options, or a `.npy` file.

::

    stimulus = kind [ ":" option { "," option } ] | FILE.npy
    option   = "sigma=" number | "seed=" number | "operations=" number

such as ``gaussian:sigma=4,seed=2``: the same text on the command line, in a sweep's ``[measure]`` and in Python.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpgen.base.errors import UsageError

if TYPE_CHECKING:
    from fpgen.units.base import Unit

DEFAULT = "uniform"
KINDS = (DEFAULT, "gaussian")
# Options of each kind.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "uniform": ("seed", "operations"),
    "gaussian": ("sigma", "seed", "operations"),
}
_MOST_OPERATIONS = 1 << 30
_ALLOWED = "expected uniform, gaussian or a .npy file, with options as in gaussian:sigma=2,seed=1,operations=16384"


@dataclass(frozen=True)
class Stimulus:
    """A source of operands.

    Attributes
    ----------
    name : str
        `uniform`, `gaussian` or the file's path.
    rows : array of shape (operations, elements) or None
        Codes (whole numbers) or values of a file.
    sigma : float
        Standard deviation of Gaussian operands.
    seed, operations : int or None
        None: as the caller has it.
    """

    name: str
    rows: NDArray[Any] | None = None
    sigma: float = 1.0
    seed: int | None = None
    operations: int | None = None

    @property
    def text(self) -> str:
        """What it is, in a few words; seed and number of operations are given separately."""
        if self.rows is not None:
            what = "codes" if self.rows.dtype.kind in "iu" else "values"
            return f"{what} of {Path(self.name).name}, {len(self.rows)} rows"
        if self.name == "uniform":
            return "uniform codes"
        return "N(0,1) values" + (f" times {self.sigma:g}" if self.sigma != 1 else "")

    def check(self, unit: "Unit") -> None:
        """Reject a unit whose operands it does not fit.

        Raises
        ------
        UsageError
        """
        from .operands import Operands

        Operands(unit, self, seed=0, clocks=1, words=1)


def load(given: str | Path) -> Stimulus:
    """The stimulus of a text or a `.npy` file.

    Raises
    ------
    UsageError
        When it is neither, an option is unknown or out of range, or the file holds no numbers.
    """
    text = str(given)
    if text.endswith(".npy"):
        return Stimulus(text, _rows(text))
    name, colon, options = text.partition(":")
    if name.endswith(".npy"):
        raise UsageError(
            f"power stimulus {text!r}: got options with a .npy file; expected them only with {' and '.join(KINDS)}"
        )
    if name not in KINDS:
        raise UsageError(f"power stimulus: got {text!r}; {_ALLOWED}")
    found: dict[str, float | int] = {}
    for item in options.split(",") if colon else ():
        key, equals, value = item.partition("=")
        if not equals or key not in _OPTIONS[name]:
            raise UsageError(
                f"power stimulus {text!r}: got {item!r}; expected one of {', '.join(_OPTIONS[name])}, "
                f"as in {name}:{_OPTIONS[name][0]}=2"
            )
        if key in found:
            raise UsageError(f"power stimulus {text!r}: got {key} twice; expected it once")
        found[key] = _sigma(text, value) if key == "sigma" else _whole(text, key, value)
    return Stimulus(name, **found)  # type: ignore[arg-type]  # complete except for sigma


def means_stimulus(text: str) -> bool:
    """Whether a word after ``--power`` is meant as its stimulus, rather than as the unit that follows."""
    from fpgen.units import OPERATIONS

    return text.endswith(".npy") or not ("->" in text or set(text.split()[:1]) & set(OPERATIONS))


def _sigma(text: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 1e-30 <= found <= 1e30:
        raise UsageError(f"power stimulus {text!r}: sigma: got {value}; expected a number from 1e-30 to 1e30")
    return found


def _whole(text: str, key: str, value: str) -> int:
    least, most = (0, (1 << 63) - 1) if key == "seed" else (1, _MOST_OPERATIONS)
    if not (value.isascii() and value.isdigit() and len(value) < 20 and least <= int(value) <= most):
        raise UsageError(f"power stimulus {text!r}: {key}: got {value}; expected a whole number from {least} to {most}")
    return int(value)


def _rows(name: str) -> NDArray[Any]:
    """The numbers of a file, a row an operation."""
    try:
        rows = np.load(name, allow_pickle=False)
    except OSError as error:
        raise UsageError(f"power stimulus {name}: {error.strerror or 'cannot be read'}; {_ALLOWED}") from None
    except (ValueError, EOFError) as error:
        raise UsageError(f"power stimulus {name}: not a .npy file of numbers: {error}") from None
    if (
        not isinstance(rows, np.ndarray)
        or rows.dtype.kind not in "iuf"
        or rows.ndim not in (1, 2)
        or len(rows) < 2
        or not rows.size
    ):
        what = f"{rows.dtype} of shape {rows.shape}" if isinstance(rows, np.ndarray) else type(rows).__name__
        raise UsageError(
            f"power stimulus {name}: got {what}; expected codes (whole numbers) or values (float16 to float64) of "
            "shape (operations, elements), two operations or more"
        )
    return rows.reshape(len(rows), -1)
