"""A flat netlist of library cells: nets by number, instances by cell type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fpgen.errors import RunFailure, UsageError
from fpgen.ppa.structural import Bit, Module, read

_MADE_UP = re.compile(r"(.*\.)?_\d+_")

# Numbers of the nets that carry a constant; x and z count as an unknown constant.
ZERO, ONE, UNKNOWN = 0, 1, 2

_DEEPEST = 200  # modules inside modules


@dataclass(frozen=True)
class Instance:
    """One cell: its hierarchical name, its library cell, and the net number at each connected pin."""

    name: str
    cell: str
    pins: Mapping[str, int]


@dataclass(frozen=True)
class Netlist:
    """A flat netlist.

    Attributes
    ----------
    top : str
    net_names : tuple of str
        Name of each net; nets 0, 1 and 2 are the constants 0, 1 and unknown.
    inputs, outputs : mapping of str to int
        Port bit (`a[3]`, or `clk` for a scalar) -> net number, in port order; an inout port is in both.
    instances : tuple of Instance
    """

    top: str
    net_names: tuple[str, ...] = field(repr=False)
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    instances: tuple[Instance, ...] = field(repr=False)


def read_file(path: Path | str, top: str | None = None) -> Netlist:
    """The netlist in a structural Verilog file.

    Raises
    ------
    RunFailure
        When the file cannot be read, or is not structural Verilog.
    UsageError
        When it has no module `top`.
    """
    try:
        text = Path(path).read_text(errors="replace")
    except OSError as error:
        raise RunFailure(f"cannot read the netlist {path}: {error.strerror}") from None
    return from_text(text, top, str(path))


def from_text(text: str, top: str | None = None, source: str = "netlist") -> Netlist:
    """The netlist in a structural Verilog text, flattened below `top` (default: its only module).

    Raises
    ------
    RunFailure, UsageError
        As `read_file`.
    """
    modules = read(text, source)
    if top is None and len(modules) == 1:
        top = next(iter(modules))
    if top is None or top not in modules:
        raise UsageError(f"{source} has no module {top!r}; there are {', '.join(modules)}" if top else
                         f"{source} has several modules; name the top: {', '.join(modules)}")
    return _Flattener(modules, source).netlist(top)


class _Flattener:
    """Gives numbers to nets, merging those that an assign or a port makes one."""

    def __init__(self, modules: Mapping[str, Module], source: str) -> None:
        self.modules = modules
        self.source = source
        self.parent = [ZERO, ONE, UNKNOWN]
        self.names = ["1'b0", "1'b1", "1'bx"]
        self.instances: list[tuple[str, str, dict[str, int]]] = []

    def netlist(self, top: str) -> Netlist:
        module = self.modules[top]
        numbers = self._module(module, "", (top,))
        find = self._find
        names = dict(enumerate(self.names))
        # An alias with a name of its own beats a number that the synthesiser made up.
        for number, name in enumerate(self.names):
            root = find(number)
            if root > UNKNOWN and _MADE_UP.fullmatch(names[root]) and not _MADE_UP.fullmatch(name):
                names[root] = name
        ports: dict[str, dict[str, int]] = {"input": {}, "output": {}, "inout": {}}
        for port, direction in module.ports.items():
            if direction not in ports:
                raise RunFailure(f"{self.source}: module {top}: the port {port} has no direction")
            for bit in module.bits(port):
                ports[direction][_name("", bit)] = find(numbers[bit])
        instances = tuple(Instance(name, cell, {pin: find(net) for pin, net in pins.items()})
                          for name, cell, pins in self.instances)
        return Netlist(top, tuple(names[k] for k in range(len(self.names))), ports["input"] | ports["inout"],
                       ports["output"] | ports["inout"], instances)

    def _module(self, module: Module, prefix: str, above: tuple[str, ...]) -> dict[Bit, int]:
        numbers: dict[Bit, int] = {("", k): k for k in (ZERO, ONE, UNKNOWN)}

        def number(bit: Bit) -> int:
            known = numbers.get(bit)
            if known is None:
                known = numbers[bit] = len(self.parent)
                self.parent.append(known)
                self.names.append(_name(prefix, bit))
            return known

        for name in module.ports:
            for bit in module.bits(name):
                number(bit)
        for left, right in module.assigns:
            for to, of in zip(left, right, strict=False):
                self._merge(number(to), number(of))
        for cell, name, ports in module.instances:
            inner = self.modules.get(cell)
            if inner is None:
                pins = {}
                for pin, bits in ports.items():
                    if len(bits) > 1:
                        raise RunFailure(f"{self.source}: instance {prefix}{name}: {len(bits)} bits at pin {pin} of "
                                         f"the cell {cell}; one is allowed")
                    if bits:
                        pins[pin] = number(bits[0])
                self.instances.append((prefix + name, cell, pins))
                continue
            if cell in above:
                raise RunFailure(f"{self.source}: the module {cell} contains itself")
            if len(above) >= _DEEPEST:
                raise RunFailure(f"{self.source}: the module {cell} stands {len(above)} modules deep below {above[0]}; "
                                 f"less than {_DEEPEST} is allowed")
            inside = self._module(inner, f"{prefix}{name}.", (*above, cell))
            for pin, bits in ports.items():
                if pin not in inner.ports:
                    raise RunFailure(f"{self.source}: instance {prefix}{name}: the module {cell} has no port {pin}")
                for to, of in zip(inner.bits(pin), bits, strict=False):
                    self._merge(inside[to], number(of))
        return numbers

    def _find(self, number: int) -> int:
        parent = self.parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def _merge(self, one: int, other: int) -> None:
        one, other = self._find(one), self._find(other)
        if one <= UNKNOWN and other <= UNKNOWN and one != other:
            return
        low, high = min(one, other), max(one, other)
        self.parent[high] = low


def _name(prefix: str, bit: Bit) -> str:
    return f"{prefix}{bit[0]}" if bit[1] is None else f"{prefix}{bit[0]}[{bit[1]}]"
