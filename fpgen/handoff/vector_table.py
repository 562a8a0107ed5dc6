"""A short table of operand and result codes, for a first look at a unit in any simulator.

The evidence of correctness is the regression, not this table.
"""

from __future__ import annotations

import itertools

import numpy as np

from fpgen.formats import Format
from fpgen.golden.port_outputs import golden_outputs
from fpgen.units import Port, Role, Unit
from fpgen.vectors.layout import words
from fpgen.vectors.stimulus import plan

COUNT = 256


def corner_codes(fmt: Format) -> list[int]:
    """Codes at which units go wrong: zeros, the ends of the subnormal, normal and finite ranges, infinity, NaN."""
    codes = [0, 1, fmt.max_finite_code, fmt.min_finite_code]
    if not fmt.fixed:
        codes += [1 << fmt.trailing_bits, (1 << fmt.trailing_bits) - 1]
    if fmt.has_negative_zero:
        codes.append(fmt.sign_mask)
    if fmt.has_infinity:
        codes += [fmt.infinity_code, fmt.infinity_code | fmt.sign_mask]
    if fmt.has_nan:
        codes.append(fmt.nan_code)
    return sorted({code for code in codes if 0 <= code < 1 << fmt.bits})


def vector_table(unit: Unit, count: int = COUNT) -> str:
    """The table as CSV: one row a vector, codes in hexadecimal, columns named after the ports.

    Half of the rows are corners against corners, the others uniform random codes (seed 0). For a
    multiply-accumulate the rows are one sequence of accepted products, from reset; its sums are short.
    A port that carries an array has one column, the number on its pins: the first code in the lowest bits.
    """
    inputs = [port for port in unit.ports if port.travels_in]
    if any(port.shape for port in inputs):
        arrays = _arrays(unit, count)
    else:
        columns = _scalars(inputs, count)
        arrays = {name: np.array(codes, dtype=np.uint64) for name, codes in columns.items()}
    everything = {**arrays, **golden_outputs(unit, arrays)}
    ports = [*inputs, *(port for port in unit.ports if port.travels_out)]
    shown = {port.name: words(port, everything[port.name]) for port in ports}
    digits = {port.name: (port.width + 3) // 4 for port in ports}
    lines = [",".join(shown)]
    lines += [
        ",".join(f"{code:0{digits[name]}x}" for name, code in zip(shown, row, strict=True))
        for row in zip(*shown.values(), strict=True)
    ]
    return "\n".join(lines) + "\n"


def _scalars(inputs: list[Port], count: int) -> dict[str, list[int]]:
    random = np.random.default_rng(0)

    def drawn(width: int, rows: int) -> list[int]:
        return [int.from_bytes(random.bytes(16), "little") % (1 << width) for _ in range(rows)]

    operands = [port for port in inputs if port.role is Role.OPERAND]
    corners = list(itertools.product(*(corner_codes(port.format) for port in operands if port.format)))
    if len(corners) > count // 2:
        corners = [corners[index] for index in np.linspace(0, len(corners) - 1, count // 2).astype(int)]
    columns = {
        port.name: [row[index] for row in corners] + drawn(port.width, count - len(corners))
        for index, port in enumerate(operands)
    }
    return columns | {port.name: drawn(port.width, count) for port in inputs if port.role is Role.CONTROL}


def _arrays(unit: Unit, count: int) -> dict[str, np.ndarray]:
    """A few vectors of every family of the regression."""
    whole = plan(unit, vectors=count, exhaustive=False)
    families = whole.sizes
    each = -(-count // len(families))
    parts = [whole.family(name, each) for name, _ in families]
    return {port.name: np.concatenate([part[port.name] for part in parts])[:count] for port in whole.ports}
