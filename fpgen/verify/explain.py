"""Codes for people: as bits and as values; and what kind of rule a wrong result broke."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import assert_never

from fpgen.formats import Class, Format
from fpgen.units.options import Flags

_SHOWN = 4  # elements of a wrong array


def value_text(fmt: Format, code: int) -> str:
    """What a code stands for: ``-1.5``, ``inf``, ``nan``, ``snan``, ``-0``."""
    sign = "-" if fmt.is_negative(code) else ""
    match fmt.classify(code):
        case Class.NAN:
            return "snan" if fmt.is_signaling(code) else "nan"
        case Class.INFINITY:
            return f"{sign}inf"
        case Class.ZERO:
            return f"{sign}0"
        case Class.FINITE:
            pass
        case unknown:
            assert_never(unknown)
    value = fmt.value(code)
    try:
        near = float(value)
    except OverflowError:
        near = math.inf
    if math.isfinite(near) and near == value:
        return repr(near)
    return f"{value.numerator}/{value.denominator}" if value.denominator < 1 << 64 else f"{near!r} (rounded)"


def bits_text(fmt: Format, code: int) -> str:
    """A code in binary, its fields apart: ``0_01111_00``."""
    bits = f"{code:0{fmt.bits}b}"
    if fmt.fixed:
        return bits
    cuts = [fmt.bits - fmt.magnitude_bits, fmt.bits - fmt.trailing_bits]
    return "_".join(part for part in (bits[: cuts[0]], bits[cuts[0] : cuts[1]], bits[cuts[1] :]) if part)


def code_text(fmt: Format | None, code: int, width: int) -> str:
    """A code in hexadecimal, binary and as a value."""
    digits = f"{code:#0{2 + (width + 3) // 4}x}"
    if fmt is None:
        return digits
    return f"{digits} = {bits_text(fmt, code)} = {value_text(fmt, code)}"


def codes_text(fmt: Format | None, codes: Sequence[int], width: int) -> str:
    """The codes of an array port: values with codes in parentheses, in order, neighbours that are alike counted."""
    found = []
    for code, alike in itertools.groupby(codes):
        count = len(list(alike))
        digits = f"{code:#0{2 + (width + 3) // 4}x}"
        one = digits if fmt is None else f"{value_text(fmt, code)} ({digits})"
        found.append(one if count == 1 else f"{one} x{count}")
    return ", ".join(found)


def difference_text(fmt: Format | None, codes: Sequence[int], other: Sequence[int], width: int) -> str:
    """Of an array port, the elements in which `codes` differs from `other`, by index."""
    found = [
        f"[{i}] {code_text(fmt, code, width)}"
        for i, (code, than) in enumerate(zip(codes, other, strict=True))
        if code != than
    ]
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def flags_text(flags: int) -> str:
    """Raised flags by name: ``OF NX``, or ``none``."""
    return " ".join(flag.name or "" for flag in reversed(Flags) if flags & flag) or "none"


def broken_rule(fmt: Format, expected: int, got: int, expected_flags: int | None, got_flags: int | None) -> str:
    """The kind of rule that a wrong result broke, as far as the codes show it."""
    if expected == got:
        if expected_flags is None or got_flags is None:
            return "nothing: the codes agree"
        missing, extra = expected_flags & ~got_flags, got_flags & ~expected_flags
        said = [f"{flags_text(missing)} not raised"] * bool(missing) + [f"{flags_text(extra)} raised"] * bool(extra)
        return f"flags: {', '.join(said)}"
    wants, has = fmt.classify(expected), fmt.classify(got)
    if wants is Class.NAN or has is Class.NAN:
        return "NaN: another NaN than the canonical one" if wants is has else "NaN: when a result is NaN"
    magnitude = ~fmt.sign_mask
    if not fmt.fixed and expected & magnitude == got & magnitude:
        return "sign of zero" if wants is Class.ZERO else "sign"
    ends = fmt.max_finite_code in (expected & magnitude, got & magnitude)
    if Class.INFINITY in (wants, has) or (ends and not fmt.fixed):
        return "overflow: what is delivered, and from where on"
    if abs(expected - got) == 1:
        return "rounding decision: the neighbouring code was delivered"
    if Class.ZERO in (wants, has):
        return "zero: a value was lost, or a zero was not one"
    return "value: more than a rounding step away"
