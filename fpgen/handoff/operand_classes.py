"""A code for each class of numbers that a format has: zeros, a subnormal, a normal, the largest, infinities, NaNs."""

from __future__ import annotations

from fractions import Fraction

from fpgen.formats import Format
from fpgen.formats.code_classes import Class
from fpgen.formats.values import value_text

#: The names of all classes.
ORDER = ("0", "+0", "-0", "subnormal", "normal", "largest", "lowest", "inf", "+inf", "-inf", "NaN", "sNaN")


def operand_classes(fmt: Format) -> dict[str, int]:
    """Name of a class to the code that stands for it.

    Where it can be, the normal number is 1, so that results are easily followed.
    """
    found: dict[str, int] = {}
    if fmt.classify(0) is Class.ZERO:
        found["+0" if fmt.has_negative_zero else "0"] = 0
    if fmt.has_negative_zero:
        found["-0"] = fmt.sign_mask
    if is_subnormal(fmt, 1):
        found["subnormal"] = 1
    found["normal"] = ordinary(fmt)
    found["largest"] = fmt.max_finite_code
    if fmt.fixed and fmt.signed:
        found["lowest"] = fmt.min_finite_code
    if fmt.has_infinity:
        found["+inf" if fmt.signed else "inf"] = fmt.infinity_code
        if fmt.signed:
            found["-inf"] = fmt.sign_mask | fmt.infinity_code
    if fmt.has_nan:
        found["NaN"] = fmt.nan_code
    if fmt.has_signaling_nan:
        found["sNaN"] = fmt.infinity_code | 1
    return found


def ordinary(fmt: Format) -> int:
    """The code of 1, or where there is none of the largest number."""
    low, highest = 0, fmt.max_finite_code
    while low < highest:  # codes of one sign are in the order of their values
        code = (low + highest + 1) // 2
        if fmt.value(code) <= 1:
            low = code
        else:
            highest = code - 1
    return low if fmt.value(low) == Fraction(1) else fmt.max_finite_code


def is_subnormal(fmt: Format, code: int) -> bool:
    """Whether a code is that of a number below the normal ones."""
    if fmt.fixed or not fmt.subnormals or code >= 1 << fmt.bits or fmt.classify(code) is not Class.FINITE:
        return False
    return abs(fmt.value(code)) < fmt.min_normal


def number_text(fmt: Format | None, width: int, code: int) -> str:
    """A code and what it stands for."""
    digits = f"0x{code:0{-(-width // 4)}x}"
    if fmt is None:
        return digits
    return f"{value_text(fmt, code)} ({digits}{', subnormal' if is_subnormal(fmt, code) else ''})"
