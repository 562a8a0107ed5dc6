"""A mapped netlist for readers that know signal pins of cells only, as Yosys does with a Liberty file.

Power pins, cells without timing, supplies among the ports and copies of library cells are dropped; hierarchy, names
and vectors stay as they are.
"""

from fpgen.library.cells import Library

from .flatten import Flattener
from .structural import Module, parse
from .structural_words import KEYWORDS
from .verilog_constants import Bit, Bits
from .verilog_tokens import Tokens


def signals_only(text: str, top: str, library: Library, source: str = "netlist") -> str:
    """The text with signal pins of library cells only; as it is where it has no others.

    Raises
    ------
    RunFailure
        As `fpgen.timing.netlist.from_text`.
    """
    tokens = Tokens(text, source)
    modules = parse(tokens)
    if top not in modules:
        return text
    flattener = Flattener(modules, tokens, library, (), False)
    flattener.netlist(top)
    if not flattener.supply_nets and not flattener.notes:
        return text
    return "".join(
        _module(module, flattener, module.name == top)
        for module in modules.values()
        if module.name == top or (module.name not in library.cells and not module.empty)
    )


def _module(module: Module, flattener: Flattener, is_top: bool) -> str:
    dropped = [
        net for net in module.directions if is_top and all(_port(bit) in flattener.tied for bit in module.bits(net))
    ]
    ports = [
        f"{_name(port.name)}"
        if port.name and port.bits == module.bits(port.name)
        else f".{_name(port.name)}({_bits(port.bits)})"
        if port.name
        else _bits(port.bits)
        for port in module.ports
        if not {net for net, _ in port.bits} <= set(dropped) or not port.bits
    ]
    lines = [f"module {_name(module.name)} ({', '.join(ports)});"]
    for net, extent in module.widths.items():
        kind = "wire" if net in dropped else module.directions.get(net) or "wire"
        width = "" if extent is None else f"[{extent[0]}:{extent[1]}] "
        lines.append(f"  {kind} {width}{_name(net)};")
    lines += [
        f"  assign {_bits(Bits([bit]))} = 1'b{flattener.tied[_port(bit)]};"
        for net in dropped
        for bit in module.bits(net)
    ]
    lines += [f"  assign {_bits(left)} = {_bits(right)};" for left, right in module.assigns]
    for placed in module.instances:
        kind = flattener.kind(placed)
        parts = [(placed.name, placed.ports)] if placed.extent is None else flattener.array(placed, kind, "")
        for name, given in parts:
            if kind == "cell":
                pins = flattener.cell_pins(placed, name, given, _itself)
                joined = ", ".join(f".{_name(pin)}({_bits(Bits([bit]))})" for pin, bit in pins.items())
            elif kind == "module":
                joined = (
                    ", ".join(f".{_name(port)}({_bits(bits)})" for port, bits in given.items())
                    if isinstance(given, dict)
                    else ", ".join(_bits(bits) for bits in given)
                )
            else:
                continue
            lines.append(f"  {_name(placed.cell)} {_name(name)} ({joined});")
    return "\n".join([*lines, "endmodule\n"])


def _port(bit: Bit) -> str:
    return bit[0] if bit[1] is None else f"{bit[0]}[{bit[1]}]"


def _itself(bit: Bit) -> Bit:
    return bit


def _name(name: str | None) -> str:
    """A name as Verilog writes it."""
    given = name or ""
    plain = given.replace("$", "_").isidentifier() and given.isascii() and given[:1] != "$" and given not in KEYWORDS
    return given if plain else f"\\{given} "


def _bits(bits: Bits) -> str:
    """A concatenation, the most significant bit first."""
    words = [
        f"1'b{'01x'[index or 0]}" if not name else _name(name) if index is None else f"{_name(name)}[{index}]"
        for name, index in reversed(bits)
    ]
    return words[0] if len(words) == 1 else "{" + ", ".join(words) + "}" if words else ""
