"""The numerical error of a unit on declared data: its golden model against exact sums and products.

The data are drawn in binary64 and rounded to the operands' formats (RNE, saturating); the addend of a dot product has
the spread of the sum it joins. There are two references, and every figure is given against both:

- `error_*`: the exact result of the *rounded* operands. Products are exact in binary64 (their significands fit 53 bits,
  or the unit is rejected). This is the error of the unit alone; rounding to the output format is part of it.
- `error_total_*`: the exact result of the *unrounded* data, each product as an exact sum of two binary64 numbers
  (Dekker, Numerische Mathematik 18, 1971). Rounding the operands into their formats is part of it, so formats can be
  compared with each other.

Sums are `math.fsum`, which rounds once.

=====================  ===================================================================================
figure                 meaning
=====================  ===================================================================================
error_rms              sqrt(mean(e**2) / mean(r**2)), e = unit - reference r
error_max              largest abs(e) / abs(r) over the vectors with r != 0; cancellation makes it large
error_sum              largest abs(e) / (sum of abs(terms)): what cancellation has no part in
error_total_rms, ...   the same against the other reference
=====================  ===================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.units import OPERATIONS, Operation, RoundedUnit, card_of, layer
from fpgen.units.operations import Terms

if TYPE_CHECKING:
    from fpgen.formats import Format
    from fpgen.units import Unit

KINDS = ("gaussian", "uniform")


@dataclass(frozen=True)
class Accuracy:
    """Which data a unit's error is taken on.

    Parameters
    ----------
    data : str
        ``gaussian``: normal, mean 0, standard deviation `sigma`. ``uniform``: between -`sigma` and `sigma`.
    sigma : float
    vectors : int
        Results compared.
    seed : int

    Raises
    ------
    UsageError
    """

    data: str = "gaussian"
    sigma: float = 1.0
    vectors: int = 4096
    seed: int = 1

    def __post_init__(self) -> None:
        if self.data not in KINDS:
            raise UsageError(f"data: got {self.data!r}; expected one of {', '.join(KINDS)}")
        if not 0 < self.sigma < 1e30:
            raise UsageError(f"sigma: got {self.sigma!r}; expected a positive number")
        if not 1 <= self.vectors <= 10_000_000:
            raise UsageError(f"vectors: got {self.vectors!r}; expected a whole number from 1 to 10,000,000")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed: got {self.seed!r}; expected a whole number from 0")

    @property
    def text(self) -> str:
        """The data in one line, for the record."""
        spread = f"standard deviation {self.sigma:g}" if self.data == "gaussian" else f"up to {self.sigma:g}"
        return (
            f"{self.data}, {spread}, rounded to the operands' formats (RNE); {self.vectors} vectors, seed {self.seed}"
        )


def measure(unit: Unit, accuracy: Accuracy) -> dict[str, Any]:
    """Error figures of `unit`, as columns of a record.

    Returns
    -------
    dict
        `error_rms`, `error_max`, `error_sum` of the unit alone, `error_total_rms`, `error_total_max`,
        `error_total_sum` with the rounding of its operands (all dimensionless), `error_special` (results that are
        infinite or NaN where the reference is not, left out of the others) and `error_data`.

    Raises
    ------
    UsageError
        For an operation whose reference is not known here, and for products that binary64 cannot hold.
    """
    from fpgen.golden.scalar.decode import fits_float64, float64_values

    card = card_of(unit)
    if not card.reference:
        allowed = ", ".join(name for name, other in OPERATIONS.items() if other.reference)
        raise UsageError(f"{unit.text}: got {unit.operation}, which has no error figures; expected one of {allowed}")
    assert isinstance(unit, RoundedUnit)
    reference = layer(unit, "reference")
    operands = _operands(unit)
    formats = {name: fmt for name, fmt, _ in operands}
    if not all(fits_float64(fmt) for fmt in (*formats.values(), unit.out)):
        raise UsageError(f"{unit.text}: no error figures for formats beyond binary64")
    factors = card.families.product if isinstance(card.families, Terms) else ("a", "b")
    if len(factors) == 2 and sum(formats[name].precision for name in factors) > 53:
        raise UsageError(f"{unit.text}: no error figures for products of more than 53 bits")
    source = np.random.default_rng(accuracy.seed)
    codes, values, unrounded = {}, {}, {}
    for name, fmt, shape in operands:
        spread = accuracy.sigma
        if name == "c" and len(factors) == 2:  # of the same spread as the sum of products
            spread *= accuracy.sigma * math.sqrt(math.prod(operands[0][2]))
        real = _draw(source, accuracy.data, spread, (accuracy.vectors, *shape))
        coded = _rounded(real, fmt)
        unrounded[name] = real
        codes[name] = coded
        values[name] = float64_values(fmt, coded)
    result = float64_values(unit.out, unit.compute(**codes).codes)
    alone = _figures(result, reference(card, values))
    total = _figures(result, reference(card, unrounded))
    return {
        **{f"error_{name}": value for name, value in alone.items()},
        **{f"error_total_{name}": value for name, value in total.items() if name != "special"},
        "error_data": accuracy.text,
    }


def _operands(unit: Unit) -> list[tuple[str, Format, tuple[int, ...]]]:
    """Name, format and shape (that of one operation's array of codes) of every operand."""
    found = []
    for port in unit.ports:
        if port.role.value == "operand" and port.format is not None:
            found.append((port.name, port.format, tuple(getattr(port, "shape", ()))))
    return found


def _draw(source: np.random.Generator, data: str, spread: float, shape: tuple[int, ...]) -> np.ndarray:
    """Random numbers, binary64."""
    drawn = source.standard_normal(shape) if data == "gaussian" else source.uniform(-1, 1, shape)
    return np.asarray(drawn * spread, dtype=np.float64)


def _rounded(real: np.ndarray, fmt: Format) -> np.ndarray:
    """Codes of numbers in a format."""
    from fpgen.units import parse_unit

    convert = parse_unit(f"convert fp64 -> {fmt.spelling} rne saturate")
    return np.asarray(convert.compute(real.view(np.uint64)).codes)


def sum_of_terms(card: Operation, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The product of the card's operands, and its addend: an array of shape (vectors, terms)."""
    assert isinstance(card.families, Terms)
    factors = [values[name] for name in card.families.product]
    terms = list(_product(*factors)) if len(factors) == 2 else factors
    if card.families.addend is not None:
        terms.append(values[card.families.addend])
    return np.stack(terms, axis=1)


def sum_of_products(card: Operation, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The products of the elements of `a` and `b`, and `c`: an array of shape (vectors, terms)."""
    products = [part.reshape(len(part), -1) for part in _product(values["a"], values["b"])]
    return np.concatenate([*products, *(values[name][:, None] for name in values if name == "c")], axis=1)


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The product and what rounding it left out, exact together where nothing underflows (Dekker 1971)."""
    product = a * b
    (high_a, low_a), (high_b, low_b) = _halves(a), _halves(b)
    return product, low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers of at most 26 bits each whose sum is `a` (Veltkamp's split)."""
    significand, exponent = np.frexp(a)  # scaled, so that large numbers do not overflow in the split
    scaled = significand * (2.0**27 + 1)
    high = np.ldexp(scaled - (scaled - significand), exponent)
    return high, a - high


def _figures(result: np.ndarray, terms: np.ndarray) -> dict[str, Any]:
    reference = np.array([math.fsum(row) for row in terms])
    size = np.abs(terms).sum(axis=1)
    finite = np.isfinite(result)
    error = np.abs(result[finite] - reference[finite])
    true, size = np.abs(reference[finite]), size[finite]
    power = float(np.mean(true**2)) if len(true) else 0.0
    return {
        "rms": math.sqrt(float(np.mean(error**2)) / power) if power else 0.0,
        "max": float(np.max(error[true > 0] / true[true > 0], initial=0.0)),
        "sum": float(np.max(error[size > 0] / size[size > 0], initial=0.0)),
        "special": int(np.count_nonzero(~finite)),
    }
