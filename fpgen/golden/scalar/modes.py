"""Whether a magnitude between two neighbouring codes is rounded to the upper one.

The definition of every rounding mode, for arrays. A magnitude stands at
``below + frac`` on the line of the output's codes, so "even" and "odd" are
those of the code (which is the significand's last bit where there is one, and
what P3109 asks for where there is none).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, assert_never

import numpy as np

from fpgen.units.options import PORT_CODES, PORT_MODES, Rounding

_PORT_LOOKUP = np.array([PORT_CODES[mode] for mode in PORT_MODES], dtype=np.uint8)

#: A mask: an array of bool, or a bool for all elements.
Mask = np.ndarray | bool


class Modes(NamedTuple):
    """The rounding mode of every element, and what the stochastic ones need.

    Attributes
    ----------
    fixed : Rounding
        The mode of all elements, or `Rounding.PORT`.
    port : ndarray of uint8, optional
        With `PORT`: one of `PORT_CODES` per element, the reserved codes already replaced.
    random : ndarray of float64, optional
        The random bits, as integers.
    random_bits : int
    """

    fixed: Rounding
    port: np.ndarray | None = None
    random: np.ndarray | None = None
    random_bits: int = 0

    def take(self, index: np.ndarray) -> Modes:
        """The modes of the elements at `index`."""
        return self._replace(
            port=None if self.port is None else self.port[index],
            random=None if self.random is None else self.random[index],
        )

    def present(self) -> list[tuple[Rounding, Mask]]:
        """The modes that occur, each with the mask of its elements."""
        if self.port is None:
            return [(self.fixed, True)]
        found: list[tuple[Rounding, Mask]] = []
        for mode, code in PORT_CODES.items():
            mask = self.port == code
            if mask.any():
                found.append((mode, mask))
        return found

    def where(self, mode: Rounding) -> Mask:
        """The elements that have `mode`."""
        if self.port is None:
            return self.fixed is mode
        return self.port == PORT_CODES[mode] if mode in PORT_CODES else False


def select_modes(mode: Rounding, port: np.ndarray | None, random: np.ndarray | None, random_bits: int) -> Modes:
    """`Modes` of arrays of raw port codes (0 to 7) and random integers."""
    return Modes(
        mode,
        None if port is None else _PORT_LOOKUP[port],
        None if random is None else random.astype(np.float64),
        random_bits,
    )


def rounds_up(modes: Modes, odd: np.ndarray | bool, frac: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Whether each magnitude goes to the upper neighbour.

    Parameters
    ----------
    modes : Modes
    odd : ndarray of bool
        Whether the code below is odd.
    frac : ndarray of float64
        Distance from the code below, 0 <= frac < 1, in units of the gap; exact, or with all that
        is lost below its last bit or-ed into that bit ("to odd").
    negative : ndarray of bool
        Sign of the number.

    Returns
    -------
    ndarray of bool
    """
    if modes.port is None:
        return _rounds_up(modes.fixed, modes, odd, frac, negative)
    up = np.zeros(frac.shape, dtype=bool)
    for mode, mask in modes.present():
        up |= mask & _rounds_up(mode, modes, odd, frac, negative)
    return up


def _rounds_up(
    mode: Rounding, modes: Modes, odd: np.ndarray | bool, frac: np.ndarray, negative: np.ndarray
) -> np.ndarray:
    match mode:
        case Rounding.RNE:
            up: np.ndarray = (frac > 0.5) | ((frac == 0.5) & odd)
        case Rounding.RNA:
            up = frac >= 0.5
        case Rounding.RTZ:
            up = np.zeros(frac.shape, dtype=bool)
        case Rounding.RUP:
            up = (frac > 0) & ~negative
        case Rounding.RDN:
            up = (frac > 0) & negative
        case Rounding.RAZ:
            up = frac > 0
        case Rounding.RTO:
            up = (frac > 0) & np.logical_not(odd)
        case Rounding.SRA | Rounding.SRB | Rounding.SRC:
            up = _stochastic(mode, modes, frac)
        case Rounding.PORT:
            raise ValueError("rounding=port is several modes, each with the elements that have it")
        case _:
            assert_never(mode)
    return up


def _stochastic(mode: Literal[Rounding.SRA, Rounding.SRB, Rounding.SRC], modes: Modes, frac: np.ndarray) -> np.ndarray:
    """P3109: nu is `frac`, R the random integer."""
    assert modes.random is not None
    steps = float(1 << modes.random_bits)
    match mode:
        case Rounding.SRA:
            up: np.ndarray = np.floor(frac * steps) + modes.random >= steps
        case Rounding.SRB:
            up = np.floor(frac * (2 * steps)) + (2 * modes.random + 1) >= 2 * steps
        case Rounding.SRC:
            up = np.rint(frac * steps) + modes.random >= steps
        case _:
            assert_never(mode)
    return up


def overflows_away(modes: Modes, negative: np.ndarray, odd_away: bool) -> np.ndarray:
    """Whether an overflow is rounded away from zero (to infinity); `odd_away`: in the mode "to odd" too."""
    away = np.zeros(negative.shape, dtype=bool)
    for mode, mask in modes.present():
        match mode:
            case Rounding.RNE | Rounding.RNA | Rounding.RAZ | Rounding.SRA | Rounding.SRB | Rounding.SRC:
                away |= mask
            case Rounding.RUP:
                away |= mask & ~negative
            case Rounding.RDN:
                away |= mask & negative
            case Rounding.RTO:
                away |= mask & odd_away
            case Rounding.RTZ:
                pass
            case Rounding.PORT:
                raise ValueError("rounding=port is several modes, each with the elements that have it")
            case _:
                assert_never(mode)
    return away
