"""A short table of operand and result codes, for a first look at a unit in any simulator.

The evidence of correctness is the regression, not this table.
"""

from __future__ import annotations

import itertools

import numpy as np

from .formats import Format
from .units import MultiplyAccumulate, Role, Unit

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


def vector_table(unit: Unit, count: int = COUNT) -> str | None:
    """The table as CSV: one row a vector, codes in hexadecimal, columns named after the ports.

    Half of the rows are corners against corners, the others uniform random codes (seed 0).

    Returns
    -------
    str or None
        None for a unit whose result depends on earlier operands.
    """
    if isinstance(unit, MultiplyAccumulate):
        return None
    random = np.random.default_rng(0)
    inputs = [port for port in unit.ports if port.role in (Role.OPERAND, Role.CONTROL)]
    operands = [port for port in inputs if port.role is Role.OPERAND]
    corners = list(itertools.product(*(corner_codes(port.format) for port in operands if port.format)))
    if len(corners) > count // 2:
        corners = [corners[index] for index in np.linspace(0, len(corners) - 1, count // 2).astype(int)]
    rows = count - len(corners)
    columns: dict[str, list[int]] = {}
    for index, port in enumerate(operands):
        drawn = [int.from_bytes(random.bytes(16), "little") % (1 << port.width) for _ in range(rows)]
        columns[port.name] = [row[index] for row in corners] + drawn
    for port in inputs:
        if port.role is Role.CONTROL:
            columns[port.name] = [int.from_bytes(random.bytes(16), "little") % (1 << port.width) for _ in range(count)]
    arrays = {name: np.array(codes, dtype=np.uint64) for name, codes in columns.items()}
    results = unit.compute(*(arrays[port.name] for port in operands),
                           **{port.name: arrays[port.name] for port in inputs if port.role is Role.CONTROL})
    columns["result"] = [int(code) for code in results.codes]
    if unit.flags:
        columns["flags"] = [int(flags) for flags in results.flags]
    width = {port.name: (port.width + 3) // 4 for port in unit.ports}
    lines = [",".join(columns)]
    lines += [",".join(f"{code:0{width[name]}x}" for name, code in zip(columns, row, strict=True))
              for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"
