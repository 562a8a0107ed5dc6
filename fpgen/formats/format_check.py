"""Which parameters make a number format; the others are rejected when a `Format` is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from fpgen.base.errors import UsageError, short_text

from .code_classes import LARGEST_BITS, Infinity, NaN

if TYPE_CHECKING:
    from .descriptor import Format


def _reject(fmt: Format, given: str, expected: str) -> NoReturn:
    raise UsageError(f"format {fmt.name or '(unnamed)'}: got {given}; expected {expected}")


def _check_types(fmt: Format) -> None:
    """Reject values of other types, which would be wrong further on, and far from here."""
    for names, kinds, what in (
        (("bits", "precision", "bias", "scale"), int, "a whole number"),
        (("signed", "subnormals", "zero", "fixed", "symmetric"), bool, "True or False"),
        (("infinity",), Infinity, "a member of Infinity"),
        (("nan",), NaN, "a member of NaN"),
        (("name",), str, "text"),
    ):
        for name in names:
            given = getattr(fmt, name)
            if not isinstance(given, kinds) or (kinds is int and isinstance(given, bool)):
                raise UsageError(f"format {name}: got {short_text(given)}; expected {what}")


def check_format(fmt: Format) -> None:
    """Reject parameters that contradict each other, or that no number format has.

    Raises
    ------
    UsageError
    """
    _check_types(fmt)
    if not 2 <= fmt.bits <= LARGEST_BITS:
        _reject(fmt, f"{fmt.bits} bits", f"2 to {LARGEST_BITS} bits")
    if fmt.fixed:
        _check_fixed(fmt)
        return
    if fmt.scale or fmt.symmetric:
        _reject(fmt, "scale or symmetric on floating point", "them on fixed point (intN, uintN) only")
    most = fmt.bits - fmt.signed
    if not 1 <= fmt.precision <= most:
        _reject(
            fmt,
            f"precision {fmt.precision} in {fmt.bits} bits",
            f"a precision (hidden bit included) of 1 to {most}, since there is "
            f"{'a sign and ' if fmt.signed else ''}at least one exponent bit",
        )
    if fmt.exponent_bits > 20:
        _reject(fmt, f"{fmt.exponent_bits} exponent bits", "1 to 20")
    if abs(fmt.bias) > 1 << 21:
        _reject(fmt, f"bias {fmt.bias}", "a magnitude of at most 2**21")
    if (fmt.infinity is Infinity.IEEE) != (fmt.nan is NaN.IEEE):
        _reject(
            fmt,
            f"inf={fmt.infinity.value} with nan={fmt.nan.value}",
            "inf=ieee,nan=ieee (an IEEE special binade holds both), or inf=none|top with nan=none|allones|negzero",
        )
    if fmt.nan is NaN.IEEE and fmt.precision < 2:
        _reject(
            fmt,
            "inf=ieee,nan=ieee with precision 1: NaN would clash with infinity",
            "inf=none|top and nan=none|allones|negzero where there is no trailing significand",
        )
    if fmt.nan is NaN.NEGATIVE_ZERO and not fmt.signed:
        _reject(fmt, "nan=negzero without a sign", "nan=allones or nan=none in an unsigned format")
    if not fmt.zero and (fmt.signed or fmt.subnormals):
        _reject(
            fmt,
            "zero=no in a signed format or with subnormals",
            "zero=no only in an unsigned format with subnormals=no",
        )
    lowest_nonzero = 1 if fmt.subnormals else 1 << fmt.trailing_bits
    if fmt.max_finite_code < lowest_nonzero:
        _reject(fmt, "no non-zero code that is neither special nor flushed", "at least one non-zero finite value")


def _check_fixed(fmt: Format) -> None:
    if fmt.infinity is not Infinity.NONE or fmt.nan is not NaN.NONE:
        _reject(fmt, "infinity or NaN in fixed point", "neither")
    if fmt.bias or not fmt.subnormals or not fmt.zero:
        _reject(fmt, "bias, subnormals=no or zero=no in fixed point", "them on floating point only")
    if fmt.precision != fmt.bits - fmt.signed:
        _reject(
            fmt,
            f"precision {fmt.precision}",
            f"{fmt.bits - fmt.signed}, the magnitude bits of fixed point of {fmt.bits} bits",
        )
    if fmt.symmetric and not fmt.signed:
        _reject(fmt, "symmetric without a sign", "a signed integer")
    if abs(fmt.scale) > 4096:
        _reject(fmt, f"scale {fmt.scale}", "-4096 to 4096")
