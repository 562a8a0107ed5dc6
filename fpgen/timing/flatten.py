"""From modules to one flat netlist of library cells: nets numbered, those that an assign or a port joins made one."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from fpgen.base.errors import RunFailure
from fpgen.library.cells import Cell, Library

from .joined_nets import JoinedNets
from .netlist import ONE, UNKNOWN, ZERO, Instance, Netlist
from .netlist_notes import SHOWN, NetlistNotes
from .structural import Module, Placed, indices
from .verilog_constants import Bit, Bits
from .verilog_tokens import Tokens

_DEEPEST = 200  # modules inside modules
_MOST_PLACED, _MOST_NETS = 1 << 22, 1 << 26  # instances of modules, and nets, of a flat netlist
# What libraries without pg_pin groups call their power and ground pins.
_USUAL_SUPPLIES = frozenset(("VDD", "VSS", "VCC", "GND", "VPWR", "VGND", "VPB", "VNB", "VNW", "VPW"))
_LEFT_OUT = "left out:"
_Number = Callable[[Bit], int]
_Net = TypeVar("_Net")


class Flattener:
    """Gives numbers to nets and finds out what each instance is: a cell, a module, or something without timing.

    Parameters
    ----------
    modules : mapping of str to Module
    tokens : Tokens
        Of the text they were read from, for messages.
    library, black_boxes, ignore_missing
        See `fpgen.timing.netlist.from_text`.
    """

    def __init__(
        self,
        modules: Mapping[str, Module],
        tokens: Tokens,
        library: Library | None,
        black_boxes: Sequence[str],
        ignore_missing: bool,
    ) -> None:
        self.modules = modules
        self.tokens = tokens
        self.library = library
        self.cells: Mapping[str, Cell] = library.cells if library is not None else {}
        self.supplies: Mapping[str, str] = library.supplies if library is not None else {}
        self.allowed, self.ignore_missing = tuple(black_boxes), ignore_missing
        self.nets = JoinedNets(tokens.source)
        self.instances: list[tuple[str, str, dict[str, int]]] = []
        self.placed = 0  # instances of modules
        self.kinds: dict[str, str] = {}
        self.port_bits: dict[str, dict[str, Bits]] = {}
        self.supply_nets: dict[int, set[str]] = {}
        self.notes = NetlistNotes()
        self.by_option: dict[str, None] = {}
        self.tied: dict[str, int] = {}  # bits of ports of the top that carry a constant, and which

    def tops(self) -> list[str]:
        """The modules with contents that no other module contains."""
        inside = {placed.cell for module in self.modules.values() for placed in module.instances}
        candidates = [name for name in self.modules if name not in self.cells] or list(self.modules)
        candidates = [name for name in candidates if name not in inside] or candidates
        return [name for name in candidates if not self.modules[name].empty] or candidates

    def netlist(self, top: str) -> Netlist:
        """The flat netlist below a module.

        Raises
        ------
        RunFailure
            For instances that are nothing known, ports that do not fit, and nets tied to both constants.
        """
        module = self.modules[top]
        numbers = self._module(module, "", (top,))
        self._tie_supplies()
        find = self.nets.find
        inputs, outputs = self._ports(module, numbers)
        instances = tuple(
            Instance(name, cell, {pin: find(net) for pin, net in pins.items()}) for name, cell, pins in self.instances
        )
        return Netlist(
            top,
            tuple(self.nets.best_names()),
            inputs,
            outputs,
            instances,
            (*self.tokens.notes, *self.notes.lines()),
            tuple(self.by_option),
        )

    def fail(self, at: int, what: str) -> RunFailure:
        return RunFailure(f"{self.tokens.place(at)}: {what}")

    def _ports(self, module: Module, numbers: Mapping[Bit, int]) -> tuple[dict[str, int], dict[str, int]]:
        """Input bits, and output bits, with their nets; those that are inout last in both."""
        found: dict[str, dict[str, int]] = {"input": {}, "output": {}, "inout": {}}
        for port in module.ports:
            for place, bit in enumerate(port.bits):
                direction = module.directions.get(bit[0], "")
                if direction not in found:
                    raise self.fail(
                        module.at,
                        f"module {module.name}: the port {port.name or bit[0]} has no "
                        "direction: got no declaration; expected input, output or inout",
                    )
                plain = port.name is None or [item[0] for item in port.bits] == [port.name] * len(port.bits)
                name = (
                    _bit_name("", bit)
                    if plain
                    else _bit_name("", (str(port.name), place if len(port.bits) > 1 else None))
                )
                if any(name in bits for bits in found.values()):
                    name = f"\\{name}"  # an escaped name that looks like a bit of a vector
                found[direction][name] = self.nets.find(numbers[bit])
        tied = {name: net for bits in (found["input"], found["inout"]) for name, net in bits.items() if net <= ONE}
        for direction in ("input", "inout"):
            found[direction] = {name: net for name, net in found[direction].items() if net > ONE}
        self.tied = tied
        if tied:
            self.notes.add("ports that are a supply or tied to a constant are not inputs", *tied)
        return found["input"] | found["inout"], found["output"] | found["inout"]

    def _module(self, module: Module, prefix: str, above: tuple[str, ...]) -> dict[Bit, int]:
        numbers: dict[Bit, int] = {("", k): k for k in (ZERO, ONE, UNKNOWN)}

        def number(bit: Bit) -> int:
            known = numbers.get(bit)
            if known is None:
                known = numbers[bit] = self.nets.add(_bit_name(prefix, bit))
            return known

        for port in module.ports:
            for bit in port.bits:
                number(bit)
        for left, right in module.assigns:
            for to, of in zip(left, right, strict=True):
                if of != ("", UNKNOWN):
                    self.nets.join(number(to), number(of))
        if module.set_outside:
            self._parameters(module)
        if module.uneven:
            self.notes.add(
                "assigns of more or fewer bits than the net has: cut, or filled with 0 (signed: the top bit)",
                *(prefix + name for name in module.uneven),
            )
        for placed in module.instances:
            kind = self.kind(placed)
            parts = (
                [(prefix + placed.name, placed.ports)] if placed.extent is None else self.array(placed, kind, prefix)
            )
            for name, ports in parts:
                if kind == "cell":
                    self.instances.append((name, placed.cell, self.cell_pins(placed, name, ports, number)))
                elif kind == "module":
                    self._inside(placed, name, ports, number, above)
                else:
                    self.notes.add(kind, name)
        return numbers

    def kind(self, placed: Placed) -> str:
        """What an instance is: `cell`, `module`, or why it is left out."""
        known = self.kinds.get(placed.cell)
        if known is not None:
            return known
        kind = self._missing(placed)
        if not kind.endswith("without signal pins"):  # that depends on the instance
            self.kinds[placed.cell] = kind
        return kind

    def _missing(self, placed: Placed) -> str:
        name = placed.cell
        inner = self.modules.get(name)
        if name in self.cells:
            if inner is not None:
                self.notes.add("modules that are library cells too: the library's timing is used", name)
            return "cell"
        if inner is None and self.library is None:
            return "cell"
        allowed = any(fnmatchcase(name, pattern) for pattern in self.allowed)
        if inner is not None:
            if not inner.empty:
                return "module"
            outward = [net for net, direction in inner.directions.items() if direction != "input"]
            if not allowed and outward:
                raise self.fail(
                    placed.at,
                    f"instance {placed.name}: the module {name} has no contents and no Liberty, "
                    f"so paths through {', '.join(outward[:SHOWN])} would vanish: expected its "
                    f"contents, a library with a cell {name}, or --black-box {name}",
                )
            if allowed:
                self.by_option[name] = None
            return f"{_LEFT_OUT} black boxes {name}, with the paths through them"
        if allowed or self.ignore_missing:
            self.by_option[name] = None
            return f"{_LEFT_OUT} cells {name} without Liberty, with the paths through them"
        pins = list(placed.ports) if isinstance(placed.ports, dict) else ["?"] * len(placed.ports)
        if all(pin in self.supplies or (not self.supplies and pin.upper() in _USUAL_SUPPLIES) for pin in pins):
            return f"{_LEFT_OUT} cells {name} without Liberty and without signal pins"
        assert self.library is not None
        raise self.fail(
            placed.at,
            f"instance {placed.name}: {self.library.lacks(name)}, and the netlist has no module "
            f"of that name; --black-box {name} leaves it out, with the paths through it",
        )

    def _parameters(self, module: Module) -> None:
        """Parameters given to instances: those of cells mean nothing here, those of modules are not worked out."""
        cells = {placed.name: placed.cell for placed in module.instances}
        for name, at in module.set_outside:
            inner = self.modules.get(cells.get(name, ""))
            if inner is not None and inner.name not in self.cells and inner.parameters and not inner.empty:
                raise self.fail(
                    at,
                    f"instance {name}: got parameters for the module {inner.name}; expected a module "
                    "without parameters (a netlist is written for one set of them)",
                )
            self.notes.add("parameters of instances are ignored", name)

    def array(self, placed: Placed, kind: str, prefix: str) -> list[tuple[str, dict[str, Bits] | list[Bits]]]:
        """The instances of an array, the last number first: it has the lowest bits."""
        assert placed.extent is not None
        order = list(indices(placed.extent))
        named = isinstance(placed.ports, dict)
        widths = self._widths(placed, kind)
        parts: list[dict[str, Bits] | list[Bits]] = [{} if named else [] for _ in order]
        items = list(placed.ports.items()) if isinstance(placed.ports, dict) else list(enumerate(placed.ports))
        for key, bits in items:
            width = widths.get(key, 1) if not isinstance(key, int) or key < len(widths) else 1
            whole = bits.fitted(width) if bits.elastic else bits
            if len(whole) not in (0, width, width * len(order)):
                raise self.fail(
                    placed.at,
                    f"the array {placed.name}: got {len(whole)} bits at the port {key}; "
                    f"expected {width} for all of them, or {width * len(order)} in all",
                )
            for place, part in enumerate(parts):
                own = whole if len(whole) in (0, width) else Bits(whole[place * width : (place + 1) * width])
                if isinstance(part, dict):
                    part[str(key)] = own
                else:
                    part.append(own)
        return [(f"{prefix}{placed.name}[{index}]", part) for index, part in zip(order, parts, strict=True)]

    def _widths(self, placed: Placed, kind: str) -> dict[str | int, int]:
        """Bits of each port of a cell or module, by name or by place."""
        named = isinstance(placed.ports, dict)
        if kind == "module":
            ports = self.modules[placed.cell].ports
            return {(port.name or "") if named else place: len(port.bits) for place, port in enumerate(ports)}
        cell = self.cells.get(placed.cell)
        buses = cell.buses if cell is not None else {}
        if named:
            return {bus: len(members) for bus, members in buses.items()}
        return {place: len(buses.get(pin, " ")) for place, pin in enumerate(cell.order if cell is not None else ())}

    def cell_pins(
        self, placed: Placed, name: str, ports: dict[str, Bits] | list[Bits], number: Callable[[Bit], _Net]
    ) -> dict[str, _Net]:
        """What `number` makes of the bit at each connected signal pin of a cell."""
        cell = self.cells.get(placed.cell)
        if isinstance(ports, list):
            ports = self._by_position(placed, name, cell, ports)
        pins: dict[str, _Net] = {}
        known = cell.pins if cell is not None else None
        for pin, bits in ports.items():
            if len(bits) == 1 and (known is None or pin in known):
                pins[pin] = number(bits[0])
            elif bits and not (cell is not None and self._special(cell, name, pin, bits, pins, number)):
                if known is not None and pin not in known:
                    raise self.fail(
                        placed.at,
                        f"instance {name}: got pin {pin} of the cell {placed.cell}; expected one of {', '.join(known)}",
                    )
                if not bits.elastic:
                    raise self.fail(
                        placed.at,
                        f"instance {name}: got {len(bits)} bits at pin {pin} of the cell {placed.cell}; expected one",
                    )
                pins[pin] = number(bits[0])
        return pins

    def _special(
        self, cell: Cell, name: str, pin: str, bits: Bits, pins: dict[str, _Net], number: Callable[[Bit], _Net]
    ) -> bool:
        """Whether a pin is a supply, which is noted and dropped, or a bus, of which each bit is connected."""
        if pin in cell.buses:
            members = cell.buses[pin]
            if len(bits) != len(members) and not bits.elastic:
                self.notes.add(
                    "ports with more or fewer bits than are connected: the lowest are joined",
                    f"{name}/{pin} ({len(bits)} bits at {len(members)})",
                )
            pins.update({member: number(bit) for member, bit in zip(members, bits, strict=False)})
            return True
        if pin in cell.pins:
            return False
        if pin not in self.supplies:
            if self.supplies or pin.upper() not in _USUAL_SUPPLIES:
                return False
            self.notes.add("power pins, by their names, of a library that states none are left out", pin)
        level = cell.supplies.get(pin, self.supplies.get(pin, ""))
        if bits[0] != ("", UNKNOWN):
            net = number(bits[0])
            if isinstance(net, int):
                self.supply_nets.setdefault(net, set()).add(level)
        return True

    def _by_position(self, placed: Placed, name: str, cell: Cell | None, ports: list[Bits]) -> dict[str, Bits]:
        if not ports:
            return {}
        if cell is None:
            raise self.fail(
                placed.at,
                f"instance {name}: got ports by position; expected them by name, or a module or "
                f"library with {placed.cell}",
            )
        order = cell.order
        if len(ports) > len(order):
            raise self.fail(
                placed.at,
                f"instance {name}: got {len(ports)} ports by position; expected at most "
                f"{len(order)}, the pins {', '.join(order)} of {placed.cell}",
            )
        self.notes.add("cells connected by position: their pins are taken in the library's order", placed.cell)
        return dict(zip(order, ports, strict=False))

    def _inside(
        self, placed: Placed, name: str, ports: dict[str, Bits] | list[Bits], number: _Number, above: tuple[str, ...]
    ) -> None:
        """Flatten the module that an instance is one of, and join its ports."""
        cell = placed.cell
        if cell in above:
            raise self.fail(placed.at, f"the module {cell} contains itself")
        if len(above) >= _DEEPEST:
            raise self.fail(
                placed.at,
                f"module {cell}: got it {len(above)} modules deep below {above[0]}; expected less than {_DEEPEST}",
            )
        self.placed += 1
        if self.placed > _MOST_PLACED or len(self.nets) > _MOST_NETS:
            raise self.fail(
                placed.at,
                f"instance {name}: got more than {_MOST_PLACED} instances of modules or "
                f"{_MOST_NETS} nets; expected fewer in a flat netlist",
            )
        inner = self.modules[cell]
        inside = self._module(inner, f"{name}.", (*above, cell))
        if isinstance(ports, list):
            if len(ports) > len(inner.ports):
                raise self.fail(
                    placed.at,
                    f"instance {name}: got {len(ports)} ports by position; expected at most "
                    f"{len(inner.ports)}, those of the module {cell}",
                )
            pairs = [
                (port.name or str(place), port.bits, bits)
                for place, (port, bits) in enumerate(zip(inner.ports, ports, strict=False))
            ]
        else:
            known = self.port_bits.get(cell)
            if known is None:
                known = self.port_bits[cell] = {port.name: port.bits for port in inner.ports if port.name is not None}
            for pin in ports:
                if pin not in known:
                    raise self.fail(
                        placed.at,
                        f"instance {name}: got port {pin} of the module {cell}; expected one of "
                        f"{', '.join(known) or '(none)'}",
                    )
            pairs = [(pin, known[pin], bits) for pin, bits in ports.items()]
        for pin, to_bits, bits in pairs:
            if bits and len(bits) != len(to_bits) and not bits.elastic:
                self.notes.add(
                    "ports with more or fewer bits than are connected: the lowest are joined",
                    f"{name}.{pin} ({len(bits)} bits at {len(to_bits)})",
                )
            for to, of in zip(to_bits, bits.fitted(len(to_bits)) if bits.elastic else bits, strict=False):
                if of != ("", UNKNOWN):
                    self.nets.join(inside[to], number(of))

    def _tie_supplies(self) -> None:
        """Let the nets at power and ground pins carry their constant: they never switch."""
        levels: dict[int, set[str]] = {}
        for net, found in self.supply_nets.items():
            levels.setdefault(self.nets.find(net), set()).update(found)
        for root, found in levels.items():
            said = found - {""}
            if root > UNKNOWN and len(said) == 1:
                self.nets.join(root, ONE if said == {"1"} else ZERO)
            elif len(said) > 1:
                self.notes.add("nets at power and at ground pins are taken as no supply", self.nets.names[root])


def _bit_name(prefix: str, bit: Bit) -> str:
    return f"{prefix}{bit[0]}" if bit[1] is None else f"{prefix}{bit[0]}[{bit[1]}]"
