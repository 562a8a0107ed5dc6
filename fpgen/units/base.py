"""What all units have in common: the options, the pins, the spelling, and the way to everything derived.

A unit is an immutable parameter object. The golden model (`compute`), the
hardware (`create`, `verilog`), the regression (`verify`) and the cost (`ppa`)
are all derived from it, and its content hash is the key of every cache.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import Format, as_format

from .architecture import Adder, Architecture, Multiplier
from .identity import check_module_name, hash_of, identifier, plain_values
from .options import (
    FLAG_BITS,
    Handshake,
    Overflow,
    Rounding,
    Semantics,
    Subnormals,
    Tininess,
    as_enum,
    check_overflow,
    default_overflow,
)
from .ports import Port, Role

if TYPE_CHECKING:
    from fpgen.golden import Result

MAX_STAGES = 64
#: Codes travel in arrays of 64-bit integers: in the golden model, and so in everything that is checked against it.
MAX_BITS = 64
#: Widest fixed-point number from which ``overflow=wrap`` takes its residues.
MAX_WRAP_BITS = 8192


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Options that every unit has; operations add their operands in front.

    Parameters
    ----------
    out : Format or str
        Format of the result.
    rounding : Rounding or str
        A mode, or ``port`` for a 3-bit input.
    overflow : Overflow or str, optional
        Default: ``ieee`` where the output can say "too large", else ``saturate``.
    tininess : Tininess or str
    subnormals : Subnormals or str
        ``full``, or flushed on the way ``in``, ``out`` or ``both``.
    random_bits : int
        Width of the `random` input of the stochastic modes; 0 for the others.
    flags : bool
        Whether the unit has the 5-bit `flags` output {NV, DZ, OF, UF, NX}.
    stages : int, optional
        Pipeline registers between input and result: the latency in clocks; 0 (the default) is combinational.
    period : float, optional
        Instead of `stages`: the clock period in ps (of the built-in 45 nm class
        technology); the scheduler takes as many stages as that needs.
    handshake : Handshake or str
    multiplier, adder : Multiplier, Adder or str
        What products and sums are built of, in units that have them; the result does not depend on it. See
        `fpgen.units.architecture`.
    module_name : str, optional
        The Verilog module's name, which files and directories take over; default: one made of the parameters. It
        changes nothing in what the unit does, and is no part of `content_hash`.

    Raises
    ------
    UsageError
        On anything unknown or contradictory, saying what is allowed.
    """

    operation: ClassVar[str] = ""
    #: The formats that stand before the arrow of the text form, and the one behind it.
    operand_names: ClassVar[tuple[str, ...]] = ()
    out_name: ClassVar[str] = "out"
    #: Whole numbers that stand beside the operands, as in ``n=8``; and whether ``+ C`` may follow them.
    size_names: ClassVar[tuple[str, ...]] = ()
    takes_addend: ClassVar[bool] = False
    #: Whether results in fixed point can wrap around (``overflow=wrap``).
    can_wrap: ClassVar[bool] = False
    #: Whether there can be a `flags` output.
    can_flag: ClassVar[bool] = True
    least_stages: ClassVar[int] = 0

    out: Format
    rounding: Rounding = Rounding.RNE
    overflow: Overflow | None = None
    tininess: Tininess = Tininess.AFTER
    subnormals: Subnormals = Subnormals.FULL
    random_bits: int = 0
    flags: bool = False
    stages: int | None = None
    period: float | None = None
    handshake: Handshake = Handshake.NONE
    multiplier: Multiplier = Multiplier.ARRAY
    adder: Adder = Adder.DEFAULT
    module_name: str | None = None

    # ---- construction ---------------------------------------------------------------

    def __post_init__(self):
        self._prepare()
        for name in (*self._format_names, "out"):
            fmt = as_format(getattr(self, name))
            if fmt.bits > MAX_BITS:
                raise UsageError(f"{name}={fmt} has {fmt.bits} bits; arrays of codes have up to {MAX_BITS}")
            self._set(name, fmt)
        self._set("rounding", as_enum("rounding", self.rounding, Rounding))
        if self.overflow is None:
            self._set("overflow", self._default_overflow)
        self._set("overflow", as_enum("overflow", self.overflow, Overflow))
        self._set("tininess", as_enum("tininess", self.tininess, Tininess))
        self._set("subnormals", as_enum("subnormals", self.subnormals, Subnormals))
        self._set("handshake", as_enum("handshake", self.handshake, Handshake))
        self._set("multiplier", as_enum("multiplier", self.multiplier, Multiplier))
        self._set("adder", as_enum("adder", self.adder, Adder))
        check_overflow(self.out, self._policy)
        if self._policy is Overflow.WRAP and not self.can_wrap:
            raise UsageError(
                f"overflow=wrap: got {self.operation}; expected multiply, add, fma, mac, convert, dot, "
                "blockdot or tensorcore"
            )
        _ = self.semantics  # refuses contradictory random_bits
        if not isinstance(self.flags, bool):
            raise UsageError(f"flags={self.flags!r}; True or False is allowed")
        if self.flags and not self.can_flag:
            raise UsageError(
                f"flags=on with {self.operation}, whose results have no one operation to flag; off is allowed"
            )
        if self.multiplier is not Multiplier.ARRAY and not self.multiplies:
            raise UsageError(
                f"multiplier={self.multiplier.value} with {self.operation}, which multiplies nothing; "
                "leave it out (adder= is allowed)"
            )
        if self.stages is not None and self.period is not None:
            raise UsageError(f"stages={self.stages} with period={self.period}; give one of them")
        if self.period is None and self.stages is None:
            self._set("stages", self.least_stages)
        least = self.least_stages
        if self.stages is not None and not (type(self.stages) is int and least <= self.stages <= MAX_STAGES):
            raise UsageError(f"stages={self.stages!r}; a whole number from {least} to {MAX_STAGES} is allowed")
        if self.period is not None and (
            isinstance(self.period, bool) or not isinstance(self.period, int | float) or not 0 < self.period < math.inf
        ):
            raise UsageError(f"period={self.period}; a positive number of picoseconds is allowed")
        if self.module_name is not None:
            check_module_name(self.module_name)
        self._validate()
        if self._policy is Overflow.WRAP:
            self._check_wrapping()

    def _check_wrapping(self):
        """Refuse operands whose sums and products span more bits than a fixed-point window has."""
        formats = self.operands.values()
        lows = [self.out.scale, *(fmt.quantum_exponent for fmt in formats)]
        highs = [fmt.scale + fmt.bits if fmt.fixed else fmt.emax + 1 for fmt in formats]
        window = max(*highs, sum(highs)) - min(*lows, sum(lows[1:]))
        if window > MAX_WRAP_BITS:
            raise UsageError(
                f"overflow=wrap: got operands {', '.join(map(str, formats))}, whose exact results span "
                f"{window} bits; expected up to {MAX_WRAP_BITS}, so formats with less range"
            )

    def _set(self, name: str, value: Any):
        object.__setattr__(self, name, value)

    @property
    def _format_names(self) -> tuple[str, ...]:
        """The fields that are formats, besides `out`."""
        return self.operand_names

    def _prepare(self):
        """What an operation fills in before the common rules are applied."""

    def _validate(self):
        """What an operation refuses beyond the common rules."""

    @property
    def _default_overflow(self) -> Overflow:
        return default_overflow(self.out)

    def _default(self, name: str) -> Any:
        """What an option is that is not given; options that have this value are not spelled out."""
        return next(spec.default for spec in dataclasses.fields(self) if spec.name == name)

    # ---- what it is -----------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """Operand name to format, in port order."""
        return {name: getattr(self, name) for name in self.operand_names}

    @property
    def semantics(self) -> Semantics:
        return Semantics(self.rounding, self._policy, self.tininess, self.subnormals, self.random_bits)

    @property
    def _policy(self) -> Overflow:
        """`overflow`, which is only None before the default is known."""
        return self.overflow or self._default_overflow

    @property
    def multiplies(self) -> bool:
        """Whether the unit has multipliers, so that there is a choice between them."""
        return True

    @property
    def architecture(self) -> Architecture:
        return Architecture(self.multiplier, self.adder)

    @property
    def contract(self) -> str:
        """What the result is, in a few words; printed in the header, the datasheet and the tables."""
        return ", ".join([self._promise, *self._conditions])

    @property
    def _promise(self) -> str:
        """How the result comes from the operands: the start of the contract."""
        return "correctly rounded"

    @property
    def _conditions(self) -> list[str]:
        """The rounding mode, and the options that change a result and are not the default."""
        notes = ["rounding port" if self.rounding is Rounding.PORT else self.rounding.value.upper()]
        if self._policy is Overflow.WRAP:
            notes.append(f"wrapping modulo 2^{self.out.bits + self.out.scale}")
        elif self.overflow is not self._default_overflow:
            notes.append(
                {
                    Overflow.SATURATE: "saturating",
                    Overflow.PROPAGATE: "saturating, infinities kept",
                    Overflow.IEEE: "ieee overflow",
                    Overflow.INFINITE: "overflow to infinity",
                    Overflow.SATNONE: "P3109 SatNone",
                    Overflow.SATNONE_D1: "P3109/D1 SatNone",
                }[self._policy]
            )
        if self.subnormals is not Subnormals.FULL:
            notes.append(
                {
                    "in": "subnormal operands read as zero",
                    "out": "tiny results flushed",
                    "both": "subnormals flushed in and out",
                }[self.subnormals.value]
            )
        return notes

    # ---- pins -----------------------------------------------------------------------

    @property
    def clocked(self) -> bool:
        """Whether the unit has registers, and so a clock."""
        return self.latency > 0

    @property
    def latency(self) -> int:
        """Clocks from operands to result."""
        if self.stages is not None:
            return self.stages
        from fpgen.rtl import pipeline_for

        return pipeline_for(self).stages

    def _controls(self) -> list[Port]:
        """Controls of the operation itself, travelling with the operands."""
        return []

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every pin, in the order of the Verilog module."""
        pins = []
        if self.clocked:
            pins.append(Port("clk", 1, True, Role.CLOCK))
            if self._has_reset:
                pins.append(Port("rst", 1, True, Role.RESET))
        if self.handshake is not Handshake.NONE:
            pins.append(Port("in_valid", 1, True, Role.HANDSHAKE))
        if self.handshake is Handshake.READY:
            pins.append(Port("in_ready", 1, False, Role.HANDSHAKE))
        pins += self._operand_ports()
        pins += self._controls()
        if self.rounding is Rounding.PORT:
            pins.append(Port("rounding", 3, True, Role.CONTROL))
        if self.random_bits:
            shape = self._random_shape
            pins.append(Port("random", self.random_bits * math.prod(shape), True, Role.CONTROL, None, shape))
        if self.handshake is not Handshake.NONE:
            pins.append(Port("out_valid", 1, False, Role.HANDSHAKE))
        if self.handshake is Handshake.READY:
            pins.append(Port("out_ready", 1, True, Role.HANDSHAKE))
        pins += self._result_ports()
        if self.flags:
            pins.append(Port("flags", FLAG_BITS, False, Role.FLAGS))
        return tuple(pins)

    def _operand_ports(self) -> list[Port]:
        """One for each of `operands`, in that order."""
        return [Port.of_codes(name, fmt, Role.OPERAND) for name, fmt in self.operands.items()]

    def _result_ports(self) -> list[Port]:
        return [Port.of_codes("result", self.out, Role.RESULT)]

    @property
    def _random_shape(self) -> tuple[int, ...]:
        """Independent random numbers that the stochastic modes need."""
        return ()

    @property
    def _has_reset(self) -> bool:
        """Only state that must start known is reset: valid bits and accumulators, not the data path."""
        return self.handshake is not Handshake.NONE

    # ---- spelling -------------------------------------------------------------------

    _HEAD: ClassVar[frozenset[str]] = frozenset({"out", "rounding", "overflow"})

    def _options(self) -> list[tuple[str, str]]:
        """Non-default options beyond the operands, in field order, as (name, spelling)."""
        found = []
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if spec.name in self._HEAD or value is None or value == self._default(spec.name):
                continue
            if spec.name in (*self.operand_names, *self.size_names, self.out_name):
                continue
            if spec.name == "c" and self.takes_addend:
                continue
            if spec.name == "stages" and value == 0:
                continue
            if isinstance(value, bool):
                value = "on" if value else "off"
            elif isinstance(value, enum.Enum):
                value = value.value
            found.append((spec.name, str(value)))
        return found

    @property
    def text(self) -> str:
        """One line that `fpgen.parse_unit` reads back to an equal unit."""
        words = [*self._left, "->", *self._right]
        return " ".join(words + [f"{name}={value}" for name, value in self._options()])

    @property
    def _left(self) -> list[str]:
        """The words before the arrow."""
        words = [self.operation, *(getattr(self, name).name for name in self.operand_names)]
        words += [f"{name}={getattr(self, name)}" for name in self.size_names]
        addend = getattr(self, "c", None) if self.takes_addend else None
        return [*words, "+", addend.name] if addend else words

    @property
    def _right(self) -> list[str]:
        """The words after the arrow, but for the options."""
        words = [getattr(self, self.out_name).name, self.rounding.value]
        return words if self.overflow is self._default_overflow else [*words, self._policy.value]

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The Verilog module name: `module_name`, or a stable identifier that carries the parameters."""
        return identifier(self)

    @property
    def content_hash(self) -> str:
        """Hash of everything that the behaviour depends on, by value; names of formats and modules do not count."""
        return hash_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values (strings, numbers, booleans) for TOML and JSON; `fpgen.unit_from_dict` reads them back."""
        return plain_values(self)

    # ---- what is derived ------------------------------------------------------------

    def compute(self, *operands, **controls) -> Result:
        """The golden result of arrays of operand codes.

        Parameters
        ----------
        *operands : array_like of int
            Codes, one array per operand, broadcast against each other.
        **controls : array_like of int
            One per control port: `rounding` (the codes of `PORT_CODES`), `random`, and the operation's own. Operands
            may be given by the name of their port, too.

        Returns
        -------
        Result
            `.codes` (uint8, uint16, uint32 or uint64, the narrowest that holds `out`) and
            `.flags` (uint8, bits of `Flags`), of the broadcast shape.
        """
        from fpgen import golden

        return golden.compute(self, *operands, **controls)

    def create(self):
        """The unit as an `amaranth.lib.wiring.Component`."""
        from fpgen.rtl import component

        return component(self)

    def verilog(self) -> str:
        """The unit as Verilog-2001 text, top module `name`; the same bytes every time."""
        from fpgen.verilog import write

        return write(self)

    def verify(self, **options):
        """Simulate the Verilog in cocotb against the golden model; see `fpgen.verify.verify`."""
        from fpgen.verify import verify

        return verify(self, **options)

    def ppa(self, **options):
        """Synthesise and time the Verilog; see `fpgen.ppa.measure_unit`."""
        from fpgen.ppa import measure_unit

        return measure_unit(self, **options)

    def bundle(self, output: Path | str, **options) -> Path:
        """Write Verilog, datasheet, parameters and vectors to ``output/<name>/``; see `fpgen.handoff.bundle.write_bundle`."""
        from fpgen.base.places import place_of
        from fpgen.handoff.bundle import write_bundle

        return write_bundle(self, place_of("output", output), **options)
