"""What a code of a format can stand for, and where the special ones are."""

from __future__ import annotations

import enum

#: Widest code of any format.
LARGEST_BITS = 128


class Infinity(enum.Enum):
    """Where a format keeps its infinities."""

    NONE = "none"
    IEEE = "ieee"  # exponent all ones, trailing significand zero
    TOP = "top"  # the highest magnitude code that is not NaN (P3109 "extended")


class NaN(enum.Enum):
    """Where a format keeps its NaNs."""

    NONE = "none"
    IEEE = "ieee"  # exponent all ones, trailing significand not zero
    ALL_ONES = "allones"  # exponent and trailing significand all ones (OCP "FN"; top code when unsigned)
    NEGATIVE_ZERO = "negzero"  # the code that minus zero would have ("FNUZ", signed P3109)


class Class(enum.IntEnum):
    """What a code stands for."""

    ZERO = 0
    FINITE = 1
    INFINITY = 2
    NAN = 3
