"""Structural Verilog to modules: declarations, assigns of nets, instances.

It reads what synthesis and place-and-route tools write: no behaviour, no expressions beyond concatenation,
replication, selects and constants. Source: IEEE 1364-2005, annex A.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from fpgen.base.errors import RunFailure

from .verilog_constants import Bits
from .verilog_tokens import Tokens

Range = tuple[int, int]


class NetlistPort(NamedTuple):
    """A port: what it is called from outside (None: by its position only), and its nets' bits, the lowest first."""

    name: str | None
    bits: Bits


class Placed(NamedTuple):
    """An instance as written.

    Attributes
    ----------
    cell, name : str
    ports : dict of str to Bits, or list of Bits
        By name, or by position.
    extent : (int, int) or None
        Range of an array of instances.
    at : int
        Number of its first token.
    """

    cell: str
    name: str
    ports: dict[str, Bits] | list[Bits]
    extent: Range | None
    at: int


@dataclass
class Module:
    """One module as written.

    Attributes
    ----------
    name : str
    at : int
        Number of its first token.
    black_box : bool
        Whether an attribute says that its contents are elsewhere.
    ports : list of NetlistPort
        In the header's order.
    directions : dict of str to str
        Net at a port -> `input`, `output`, `inout`, in the order of the header.
    widths : dict
        Net -> (msb, lsb) or None for a scalar.
    assigns : list of (bits, bits)
        Left and right side, least significant bit first, as many on both.
    instances : list of Placed
    parameters : dict of str to int
    set_outside : list of (str, int)
        Instances that are given parameters, and the token that does it.
    uneven : list of str
        Nets that are assigned more or fewer bits than they have.
    """

    name: str
    at: int = 0
    black_box: bool = False
    ports: list[NetlistPort] = field(default_factory=list)
    directions: dict[str, str] = field(default_factory=dict)
    widths: dict[str, Range | None] = field(default_factory=dict)
    assigns: list[tuple[Bits, Bits]] = field(default_factory=list)
    instances: list[Placed] = field(default_factory=list)
    parameters: dict[str, int] = field(default_factory=dict)
    set_outside: list[tuple[str, int]] = field(default_factory=list)
    uneven: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing is inside."""
        return self.black_box or not (self.instances or self.assigns)

    def bits(self, name: str) -> Bits:
        """All bits of a declared net, least significant first."""
        extent = self.widths.get(name)
        return Bits([(name, None)]) if extent is None else Bits([(name, index) for index in indices(extent)])


def indices(extent: Range) -> range:
    """The numbers of a range, that of the least significant bit first."""
    high, low = extent
    step = 1 if high >= low else -1
    return range(low, high + step, step)


def read(text: str, source: str) -> dict[str, Module]:
    """The modules of a structural Verilog text, by name.

    Raises
    ------
    RunFailure
        When the text is cut short, or has something that is not structural Verilog.
    """
    return parse(Tokens(text, source))


def parse(tokens: Tokens) -> dict[str, Module]:
    """The modules of a text that is already tokens.

    Raises
    ------
    RunFailure
        As `read`.
    """
    from .structural_reader import ModuleReader

    modules: dict[str, Module] = {}
    at = 0
    while tokens.words[at]:
        reader = ModuleReader(tokens, at)
        at = reader.read()
        before = modules.setdefault(reader.module.name, reader.module)
        if before is not reader.module:
            raise RunFailure(
                f"{tokens.place(reader.module.at)}: the module {before.name}: got a second one, the "
                f"first is in line {tokens.line(before.at)}; expected one of that name"
            )
    if not modules:
        raise RunFailure(f"{tokens.source} has no module: got no text besides comments; expected structural Verilog")
    return modules
