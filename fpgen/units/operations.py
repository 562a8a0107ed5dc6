"""The table of operations: one card each, which everything that depends on the operation reads.

A card names what an operation consists of. Layers that are above this floor (models, hardware, families, error figures)
are named as ``module:function`` and imported when they are needed, so that the table imports nothing but units. A card
that lacks a layer is a unit that cannot do that: `layer` says so in one sentence. `docs/extending/operation.md` adds an
operation step by step.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from fpgen.base.errors import RunFailure, UsageError

from . import formulas
from .add import Add
from .base import Unit
from .blockdot import BlockDot
from .convert import Convert
from .dot import DotProduct
from .fma import FusedMultiplyAdd
from .mac import MultiplyAccumulate
from .multiply import Multiply
from .quantize import BlockDequantize, BlockQuantize
from .tensorcore import TensorCore


@dataclass(frozen=True)
class Terms:
    """How a result of scalar operands is composed: the product of these operands, and an addend.

    Parameters
    ----------
    product : tuple of str
        One operand (a conversion), two, or the same one twice (a square).
    addend : str, optional
        An operand; for a unit with state also the accumulator, by the name of the port that loads it.
    """

    product: tuple[str, ...]
    addend: str | None = None


@dataclass(frozen=True)
class Operation:
    """The card of one operation.

    Parameters
    ----------
    unit : type of Unit
        The parameter object; `Unit.operation` is the operation's name.
    group : str
        Under which heading it is listed.
    summary : str
        One line for `--help` and the documentation.
    formula : callable
        From a unit to (title, text) pairs, for the header of the Verilog and the datasheet.
    exact : str
        The definition: from a unit to a function of one row of codes (`fpgen.golden.exact.exact_scalar`).
    fast : str
        The vectorised model: ``(unit, inputs) -> Result`` (`fpgen.golden.scalar.scalar_fast`).
    hardware : str
        The datapath: ``(graph, unit) -> outputs by port`` (`fpgen.rtl.float.scalar_datapaths`).
    families : Terms or str
        What the directed families are built from; or the operation's own families: from a unit to a dict of them
        (`fpgen.vectors.families_array`).
    reference : str, optional
        The terms whose exact sum the result approximates, for the error figures of sweeps: ``(card, values by operand)
        -> array of shape (vectors, terms)`` (`fpgen.sweep.numerical_error`).
    """

    unit: type[Unit]
    group: str
    summary: str
    formula: Callable[[Any], list[tuple[str, str]]]
    exact: str = ""
    fast: str = ""
    hardware: str = ""
    families: Terms | str = ""
    reference: str = field(default="")

    #: Layer to what messages call it.
    LAYERS: ClassVar[Mapping[str, str]] = {
        "exact": "exact model",
        "fast": "vectorised model",
        "hardware": "datapath",
        "families": "directed families",
        "reference": "reference for error figures",
    }

    @property
    def name(self) -> str:
        return self.unit.operation


_EXACT, _FAST = "fpgen.golden.exact.exact_scalar", "fpgen.golden.scalar.scalar_fast"
_HARDWARE, _REFERENCE = "fpgen.rtl.float.scalar_datapaths", "fpgen.sweep.numerical_error"
_ARRAYS, _SUMS = "fpgen.golden.exact.exact_arrays", "fpgen.golden.sums.sums"
_VECTORS = "fpgen.vectors"

_CARDS = (
    Operation(
        unit=Multiply,
        group="arithmetic",
        summary="the product of two numbers",
        formula=formulas.result("a * b"),
        exact=f"{_EXACT}:multiply",
        fast=f"{_FAST}:multiply",
        hardware=f"{_HARDWARE}:multiply",
        families=Terms(("a", "b")),
        reference=f"{_REFERENCE}:sum_of_terms",
    ),
    Operation(
        unit=Add,
        group="arithmetic",
        summary="the sum or difference of two numbers",
        formula=formulas.add,
        exact=f"{_EXACT}:add",
        fast=f"{_FAST}:add",
        hardware=f"{_HARDWARE}:add",
        families=Terms(("a",), "b"),
        reference=f"{_REFERENCE}:sum_of_terms",
    ),
    Operation(
        unit=FusedMultiplyAdd,
        group="arithmetic",
        summary="a product plus an addend, rounded once",
        formula=formulas.result("a * b + c"),
        exact=f"{_EXACT}:fma",
        fast=f"{_FAST}:fma",
        hardware=f"{_HARDWARE}:fma",
        families=Terms(("a", "b"), "c"),
        reference=f"{_REFERENCE}:sum_of_terms",
    ),
    Operation(
        unit=MultiplyAccumulate,
        group="arithmetic",
        summary="a running sum of products, one product a clock",
        formula=formulas.mac,
        exact=f"{_EXACT}:mac",
        fast="fpgen.golden.accumulate.accumulate_float:run_accumulate",
        hardware=f"{_HARDWARE}:mac",
        families=Terms(("a", "b"), "c"),
    ),
    Operation(
        unit=Convert,
        group="conversion",
        summary="a number in another format",
        formula=formulas.result("source"),
        exact=f"{_EXACT}:convert",
        fast=f"{_FAST}:convert",
        hardware=f"{_HARDWARE}:convert",
        families=Terms(("source",)),
        reference=f"{_REFERENCE}:sum_of_terms",
    ),
    Operation(
        unit=DotProduct,
        group="sums of products",
        summary="a dot product of n elements, plus an addend",
        formula=formulas.dot,
        exact=f"{_ARRAYS}:dot",
        fast=f"{_SUMS}:run_sums",
        hardware="fpgen.rtl.dot:dot",
        families=f"{_VECTORS}.families_sum:sum_families",
        reference=f"{_REFERENCE}:sum_of_products",
    ),
    Operation(
        unit=BlockDot,
        group="sums of products",
        summary="a dot product of block-scaled operands",
        formula=formulas.blockdot,
        exact=f"{_ARRAYS}:dot",
        fast=f"{_SUMS}:run_sums",
        hardware="fpgen.rtl.dot:dot",
        families=f"{_VECTORS}.families_sum:sum_families",
    ),
    Operation(
        unit=BlockQuantize,
        group="conversion",
        summary="numbers to a block: element codes and a scale",
        formula=formulas.quantize,
        exact=f"{_ARRAYS}:quantize",
        fast="fpgen.golden.blocks.block_model:quantize",
        hardware="fpgen.rtl.block.quantizer:quantize",
        families=f"{_VECTORS}.families_quantize:quantize_families",
    ),
    Operation(
        unit=BlockDequantize,
        group="conversion",
        summary="a block to numbers",
        formula=formulas.dequantize,
        exact=f"{_ARRAYS}:dequantize",
        fast="fpgen.golden.blocks.block_model:dequantize",
        hardware="fpgen.rtl.block.dequantizer:dequantize",
        families=f"{_VECTORS}.families_dequantize:dequantize_families",
    ),
    Operation(
        unit=TensorCore,
        group="sums of products",
        summary="the tile of a matrix engine: A B + C",
        formula=formulas.tensorcore,
        exact=f"{_ARRAYS}:tensorcore",
        fast=f"{_SUMS}:run_sums",
        hardware="fpgen.rtl.dot:tensorcore",
        families=f"{_VECTORS}.families_tile:tile_families",
    ),
)

#: Operation name to its card.
OPERATIONS: dict[str, Operation] = {card.name: card for card in _CARDS}


def card_of(unit: Unit | type[Unit]) -> Operation:
    """The card of a unit's operation.

    Raises
    ------
    UsageError
        For an operation that is not in the table.
    """
    card = OPERATIONS.get(unit.operation)
    if card is None:
        raise UsageError(f"operation: got {unit.operation!r}, which has no card; expected {', '.join(OPERATIONS)}")
    return card


def card_named(name: object) -> Operation:
    """The card with this name, whatever its case.

    Raises
    ------
    UsageError
        For an unknown name, with the nearest that there is.
    """
    if not isinstance(name, str) or name.lower() not in OPERATIONS:
        close = difflib.get_close_matches(str(name).lower(), OPERATIONS, n=1)
        suggestion = f" (did you mean {close[0]}?)" if close else ""
        raise UsageError(f"operation: got {name}{suggestion}; expected one of {', '.join(OPERATIONS)}")
    return OPERATIONS[name.lower()]


def layer(unit: Unit | type[Unit], name: str) -> Callable[..., Any]:
    """One layer of a unit's operation, a key of `Operation.LAYERS`.

    Raises
    ------
    UsageError
        When the operation has no such layer.
    RunFailure
        When what the card names does not exist.
    """
    card = card_of(unit)
    place = getattr(card, name)
    if not isinstance(place, str):
        raise TypeError(f"the {Operation.LAYERS[name]} of {card.name} are not a function")
    if not place:
        raise UsageError(f"{card.name} has no {Operation.LAYERS[name]}")
    return _function(card.name, Operation.LAYERS[name], place)


@lru_cache(maxsize=256)
def _function(operation: str, what: str, place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RunFailure(
            f"{operation} has no {what}: its card names {place}, which cannot be imported ({error})"
        ) from error
    assert callable(found)
    return found  # type: ignore[no-any-return]
