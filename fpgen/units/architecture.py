"""How the arithmetic of a unit is built. No bit of any result depends on it; area, delay and energy do.

============  =====================================================================================================
multiplier    of significands, and of the integers of fixed-point products
============  =====================================================================================================
``array``     an AND array: a row of gates for each bit of one operand, summed by rows of full adders
``booth``     radix-4 Booth digits: half as many rows, each behind a multiplexer
``operator``  Verilog's ``*``, left to the synthesiser: the DSP blocks of an FPGA, or Yosys' own multiplier
============  =====================================================================================================

===============  ==================================================================================================
adder            of sums, differences and increments of whole significands (up to 256 bits; wider ones are ``+``)
===============  ==================================================================================================
``default``      each sum the network that suits its place: Sklansky's mostly, Kogge and Stone's for long dot products
``sklansky``     parallel prefix of least depth, with high fan-out
``kogge-stone``  parallel prefix of least depth and fan-out two, with the most gates and wires
``brent-kung``   parallel prefix with the fewest gates, nearly twice as deep
``operator``     Verilog's ``+`` and ``-``, left to the synthesiser: carry chains of an FPGA
===============  ==================================================================================================

Sums of exponents, a few bits wide, are always Verilog's ``+`` and ``-``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Multiplier(enum.Enum):
    """See the module."""

    ARRAY = "array"
    BOOTH = "booth"
    OPERATOR = "operator"


class Adder(enum.Enum):
    """See the module."""

    DEFAULT = "default"
    SKLANSKY = "sklansky"
    KOGGE_STONE = "kogge-stone"
    BRENT_KUNG = "brent-kung"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Architecture:
    """What a datapath is built of.

    Parameters
    ----------
    multiplier : Multiplier
    adder : Adder
    """

    multiplier: Multiplier = Multiplier.ARRAY
    adder: Adder = Adder.DEFAULT

    def __str__(self) -> str:
        return f"multiplier {self.multiplier.value}, adder {self.adder.value}"


#: Of every unit that is given neither.
DEFAULT = Architecture()
