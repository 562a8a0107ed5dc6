"""What all units have in common: operands, pins, stages, handshake, architecture, spelling, hash.

A unit is an immutable parameter object. The golden model (`compute`), the
hardware (`create`, `verilog`), the regression (`verify`) and the cost (`ppa`)
are all derived from it (`fpgen.units.derived`), and its content hash is the key of every cache.
Units whose result is a rounded number are `fpgen.units.rounded.RoundedUnit`.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from fpgen.base.errors import UsageError
from fpgen.formats import Format, as_format

from .architecture import Adder, Architecture, Multiplier
from .block_operand import BlockOperand
from .derived import Derived, stages_of_period
from .identity import check_names, hash_of, identifier, plain_values
from .options import Handshake, as_enum
from .ports import Port, Role
from .register_options import (
    BoundaryRegisters,
    Reset,
    ResetActive,
    check_clocked,
    check_register_options,
    pins_of_registers,
)

MAX_STAGES = 64
#: Codes travel in arrays of 64-bit integers: in the golden model, and so in everything that is checked against it.
MAX_BITS = 64
#: Options that came after the first release of hashes: they count in `content_hash` where they are set.
_WHEN_SET = {"hashed": "when set"}


@dataclass(frozen=True, kw_only=True)
class Unit(Derived):
    """Options that every unit has; operations add their operands and results.

    Parameters
    ----------
    stages : int, optional
        Pipeline registers between input and result: the latency in clocks; 0 (the default) is combinational.
    period : float, optional
        Instead of `stages`: the clock period in ps (of the built-in 45 nm class
        technology); the scheduler takes as many stages as that needs.
    handshake : Handshake or str
    multiplier, adder : Multiplier, Adder or str
        What products and sums are built of, in units that have them; the result does not depend on it. See
        `fpgen.units.architecture`.
    reset, reset_active : Reset, ResetActive or str
        Style and polarity of the reset: ``sync``, ``async`` or ``none``; ``high`` or ``low``.
    enable, flush : bool
        Input pins of these names: clock enable of the whole unit; drop all operations inside.
    tag : int
        Bits of a tag that travels with each operation, from pin `tag` to pin `out_tag`; 0 for none.
    registers : BoundaryRegisters or str
        Registers at the boundary, which `stages` counts: ``none``, ``in``, ``out`` or ``both``. These five are
        explained in `fpgen.units.register_options`.
    module_name : str, optional
        The Verilog module's name, which files and directories take over; default: one made of the parameters. It
        changes nothing in what the unit does, and is no part of `content_hash`.
    prefix : str, optional
        What the module's name begins with, made of the parameters or not: so two versions of a unit stand side by side.

    Attributes
    ----------
    latency : int
        Clocks from operands to result: `stages`, or what the scheduler found for `period` when the unit was made.

    Raises
    ------
    UsageError
        For anything unknown or contradictory; the message says what is expected.

    Notes
    -----
    An operation states its operands (`operand_names`, or `operands` where their number depends on parameters) and its
    results (`_result_ports`: one or several, each a code of a format or, like a class or a relation, bits with a
    meaning of their own).
    """

    operation: ClassVar[str] = ""
    #: The formats before the arrow of the text form, and the one after it ("" if the form has no arrow).
    operand_names: ClassVar[tuple[str, ...]] = ()
    out_name: ClassVar[str] = ""
    #: Whole numbers that follow the operands, as in ``n=8``, and whether ``+ C`` may follow them.
    size_names: ClassVar[tuple[str, ...]] = ()
    takes_addend: ClassVar[bool] = False
    #: Whether a result depends on earlier operands, so that vectors form sequences.
    stateful: ClassVar[bool] = False
    least_stages: ClassVar[int] = 0
    #: Parameters that are spelled before the common ones.
    _leading: ClassVar[tuple[str, ...]] = ()

    stages: int | None = None
    period: float | None = None
    handshake: Handshake = Handshake.NONE
    multiplier: Multiplier = Multiplier.ARRAY
    adder: Adder = Adder.DEFAULT
    reset: Reset = field(default=Reset.SYNC, metadata=_WHEN_SET)
    reset_active: ResetActive = field(default=ResetActive.HIGH, metadata=_WHEN_SET)
    enable: bool = field(default=False, metadata=_WHEN_SET)
    flush: bool = field(default=False, metadata=_WHEN_SET)
    tag: int = field(default=0, metadata=_WHEN_SET)
    registers: BoundaryRegisters = field(default=BoundaryRegisters.NONE, metadata=_WHEN_SET)
    module_name: str | None = None
    prefix: str | None = None
    latency: int = field(init=False, repr=False, compare=False)

    # ---- construction ---------------------------------------------------------------

    def __post_init__(self) -> None:
        self._prepare()
        for name in self._format_names:
            fmt = as_format(getattr(self, name))
            if fmt.bits > MAX_BITS:
                raise UsageError(f"{name}: got {fmt}, which has {fmt.bits} bits; expected up to {MAX_BITS}")
            self._set(name, fmt)
        self._set("handshake", as_enum("handshake", self.handshake, Handshake))
        self._set("multiplier", as_enum("multiplier", self.multiplier, Multiplier))
        self._set("adder", as_enum("adder", self.adder, Adder))
        self._check_results()
        check_register_options(self)
        self._check_common()
        self._validate()
        self._check_whole()
        self._set("latency", stages_of_period(self) if self.stages is None else self.stages)
        check_clocked(self)

    def _check_common(self) -> None:
        if self.multiplier is not Multiplier.ARRAY and not self.multiplies:
            raise UsageError(
                f"multiplier: got {self.multiplier.value} with {self.operation}, which multiplies nothing; "
                "expected none given (adder= still applies)"
            )
        if self.stages is not None and self.period is not None:
            raise UsageError(f"stages: got {self.stages} and period={self.period}; expected one of them")
        least = self.least_stages + self.registers.ranks
        if self.period is None and self.stages is None:
            self._set("stages", least)
        if self.stages is not None and not (type(self.stages) is int and least <= self.stages <= MAX_STAGES):
            raise UsageError(f"stages: got {self.stages!r}; expected a whole number from {least} to {MAX_STAGES}")
        if self.period is not None and (
            isinstance(self.period, bool) or not isinstance(self.period, int | float) or not 0 < self.period < math.inf
        ):
            raise UsageError(f"period: got {self.period}; expected a positive number of picoseconds")
        check_names(self.module_name, self.prefix)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def _format_names(self) -> tuple[str, ...]:
        """The fields that are formats."""
        return self.operand_names

    def _prepare(self) -> None:
        """What an operation fills in before the common rules are applied."""

    def _check_results(self) -> None:
        """The options of the results: those of `RoundedUnit`, or the operation's."""

    def _validate(self) -> None:
        """What an operation rejects beyond the common rules."""

    def _check_whole(self) -> None:
        """What can only be checked of a unit that is complete otherwise."""

    @classmethod
    def parameters(cls) -> list[dataclasses.Field[Any]]:
        """The fields that make the unit, in the order in which they are spelled and hashed.

        First the parameters of the results, then the common ones, then the operation's.
        """
        common = {spec.name for spec in dataclasses.fields(Unit)}
        rank = {spec.name: 0 if spec.name in cls._leading else 1 if spec.name in common else 2
                for spec in dataclasses.fields(cls)}  # fmt: skip
        return sorted((spec for spec in dataclasses.fields(cls) if spec.init), key=lambda spec: rank[spec.name])

    def _default(self, name: str) -> Any:
        """What an option is that is not given; options that have this value are not spelled out."""
        return next(spec.default for spec in self.parameters() if spec.name == name)

    # ---- what it is -----------------------------------------------------------------

    @property
    def operands(self) -> dict[str, Format]:
        """Operand name to format, in port order."""
        return {name: getattr(self, name) for name in self.operand_names}

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
        return "exact"

    @property
    def _conditions(self) -> list[str]:
        """The options that change a result and are not the default."""
        return []

    @property
    def behaviour(self) -> Self:
        """The unit without the options that no result depends on: stages, handshake, flags output, names, adders."""
        changed: dict[str, Any] = {"module_name": None, "prefix": None, "flags": False, "stages": None, "period": None}
        found = {spec.name: spec for spec in self.parameters()}
        around = ("handshake", "multiplier", "adder", "reset", "reset_active", "enable", "flush", "tag", "registers")
        changed |= {name: found[name].default for name in around}
        return dataclasses.replace(self, **{name: value for name, value in changed.items() if name in found})

    @property
    def without_pipeline(self) -> Self:
        """The unit whose datapath, before any scheduling, is that of this one."""
        plain = {name: self._default(name) for name in ("reset", "reset_active", "enable", "flush", "registers")}
        handshake = Handshake.READY if self.handshake is Handshake.AXIS else self.handshake  # there is no aclk
        return dataclasses.replace(self, stages=None, period=None, handshake=handshake, **plain)

    @property
    def nan_text(self) -> str:
        """What becomes of NaN results, in a sentence for the datasheet; empty where there are none."""
        return ""

    # ---- pins -----------------------------------------------------------------------

    @property
    def clocked(self) -> bool:
        """Whether the unit has registers, and so a clock."""
        return self.latency > 0

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every pin, in the order of the Verilog module."""
        pins = pins_of_registers(self)
        if self.handshake is not Handshake.NONE:
            pins.append(Port("in_valid", 1, True, Role.HANDSHAKE))
        if self.handshake.back_pressure:
            pins.append(Port("in_ready", 1, False, Role.HANDSHAKE))
        pins += [*self._operand_ports(), *self._controls(), *self._rounding_ports()]
        if self.tag:
            pins.append(Port("tag", self.tag, True, Role.TAG))
        if self.handshake is not Handshake.NONE:
            pins.append(Port("out_valid", 1, False, Role.HANDSHAKE))
        if self.handshake.back_pressure:
            pins.append(Port("out_ready", 1, True, Role.HANDSHAKE))
        tag = [Port("out_tag", self.tag, False, Role.TAG)] if self.tag else []
        return (*pins, *self._result_ports(), *self._flag_ports(), *tag)

    @property
    def block_operands(self) -> tuple[BlockOperand, ...]:
        """The operands that are in a block format."""
        return ()

    @property
    def tensor_operand(self) -> str:
        """The port with the scale of a tensor whose numbers the unit is given; empty where there is none."""
        return ""

    def _operand_ports(self) -> list[Port]:
        """One for each of `operands`, in that order."""
        return [Port.of_codes(name, fmt, Role.OPERAND) for name, fmt in self.operands.items()]

    def _controls(self) -> list[Port]:
        """Controls of the operation itself, travelling with the operands."""
        return []

    def _rounding_ports(self) -> list[Port]:
        """Controls of the rounding, after the operation's own."""
        return []

    def _result_ports(self) -> list[Port]:
        """One for each result."""
        raise NotImplementedError(f"{type(self).__name__} states no results")

    def _flag_ports(self) -> list[Port]:
        """The exceptions, after the results."""
        return []

    @property
    def _has_reset(self) -> bool:
        """Only state that must start known is reset: valid bits and accumulators, not the data path."""
        return self.handshake is not Handshake.NONE

    # ---- spelling -------------------------------------------------------------------

    @property
    def _unspelled(self) -> frozenset[str]:
        """Parameters that are not options of the text form, because they have a fixed place in it."""
        own = {*self.operand_names, *self.size_names, self.out_name, *(("c",) if self.takes_addend else ())}
        return frozenset(own)

    def _options(self) -> list[tuple[str, str]]:
        """Non-default options beyond the operands, in the order of `parameters`, as (name, spelling)."""
        found = []
        for spec in self.parameters():
            value = getattr(self, spec.name)
            if spec.name in self._unspelled or value is None or value == self._default(spec.name):
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
        words = [*self._left, *(["->", *self._right] if self._right else [])]
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
        """The words after the arrow, without the options; none if the form has no arrow."""
        return [getattr(self, self.out_name).name] if self.out_name else []

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The Verilog module name: `prefix` and `module_name`, or a stable identifier that carries the parameters."""
        return identifier(self)

    @property
    def content_hash(self) -> str:
        """Hash of everything that the behaviour depends on, by value; names of formats and modules do not count."""
        return hash_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values (strings, numbers, booleans) for TOML and JSON; `fpgen.unit_from_dict` reads them back."""
        return plain_values(self)
