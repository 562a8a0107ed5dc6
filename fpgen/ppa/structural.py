"""Structural Verilog text to modules: declarations, assigns of nets, instances with named ports.

It reads what synthesis tools write (Yosys, Genus, OpenROAD): no behaviour, no expressions beyond
concatenation, replication, selects and constants. Source: IEEE 1364-2005, annex A.
"""

import re
from dataclasses import dataclass, field

from fpgen.errors import RunFailure

# A net bit: (name, index), index None for a scalar; or a constant, ("", 0), ("", 1), ("", 2) for x and z.
Bit = tuple[str, int | None]

_NAME = r"(?:\\\S+(?=\s)|[A-Za-z_$][\w$]*+)"
_NOISE = re.compile(r"\(\*(?!\)).*?\*\)|/\*.*?\*/|//[^\n]*"
                    r"|`(?:timescale|default_nettype|celldefine|endcelldefine)[^\n]*", re.DOTALL)
_MODULE = re.compile(rf"\s*module\s+({_NAME})\s*(#\s*\([^;]*?\))?\s*(?:\(([^;]*)\))?\s*;")
_ENDMODULE = re.compile(r"\s*endmodule\b")
_DECLARE = re.compile(r"(input|output|inout|wire|reg|tri|logic|supply0|supply1)\b")
_INSTANCE = re.compile(rf"({_NAME})\s+({_NAME})\s*\((.*)\)\s*$", re.DOTALL)
_PORT = re.compile(rf"\s*\.({_NAME})\s*\(((?:\\\S+\s|[^()\\])*+)\)\s*(,|$)")
_RANGE = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*\]")
_CONSTANT = re.compile(r"(\d*)'s?([bdhoBDHO])\s*([\w?]+)$")
_SELECT = re.compile(rf"({_NAME})\s*(?:\[\s*(\d+)\s*(?::\s*(\d+)\s*)?\])?\s*$")
_STATEMENT = re.compile(r"((?:\\\S+\s|[^;\\])*+);")
_BASES = {"b": 1, "o": 3, "h": 4}


@dataclass
class Module:
    """One module as written.

    Attributes
    ----------
    name : str
    ports : dict of str to str
        Port -> `input`, `output`, `inout`, in the header's order.
    widths : dict
        Net -> (msb, lsb) or None for a scalar.
    assigns : list of (bits, bits)
        Left and right side, least significant bit first.
    instances : list of (cell, name, {port: bits})
    """

    name: str
    ports: dict[str, str] = field(default_factory=dict)
    widths: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    assigns: list[tuple[list[Bit], list[Bit]]] = field(default_factory=list)
    instances: list[tuple[str, str, dict[str, list[Bit]]]] = field(default_factory=list)

    def bits(self, name: str) -> list[Bit]:
        """All bits of a declared net, least significant first."""
        extent = self.widths.get(name)
        if extent is None:
            return [(name, None)]
        high, low = extent
        step = 1 if high >= low else -1
        return [(name, index) for index in range(low, high + step, step)]


def read(text: str, source: str) -> dict[str, Module]:
    """The modules of a structural Verilog text, by name.

    Raises
    ------
    RunFailure
        When the text is cut short, or has something that is not structural Verilog.
    """
    text = _NOISE.sub(" ", text)
    modules: dict[str, Module] = {}
    position = 0
    while True:
        found = _MODULE.match(text, position)
        if found is None:
            rest = text[position:].strip()
            if rest:
                raise RunFailure(f"{source} is not structural Verilog: {rest.splitlines()[0][:60]!r}")
            break
        reader = _ModuleReader(Module(_plain(found[1])), source)
        reader.header(found[3] or "")
        position = reader.body(text, found.end())
        modules[reader.module.name] = reader.module
    if not modules:
        raise RunFailure(f"{source} has no module")
    return modules


def _plain(name: str) -> str:
    return name[1:] if name.startswith("\\") else name


class _ModuleReader:
    """Fills one module from its text; expressions seen once are remembered."""

    def __init__(self, module: Module, source: str) -> None:
        self.module = module
        self.source = source
        self.known: dict[str, list[Bit]] = {}

    def fail(self, what: str) -> RunFailure:
        return RunFailure(f"{self.source}: module {self.module.name}: {what}")

    def header(self, ports: str) -> None:
        direction = ""
        extent: tuple[int, int] | None = None
        for item in _split(ports):
            text = item.strip()
            if not text:
                continue
            declared = _DECLARE.match(text)
            if declared:
                direction, extent, text = self._kind(text)
            name = _plain(text.strip())
            if not re.fullmatch(_NAME + r"\s", text.strip() + " "):
                raise self.fail(f"cannot read the port {item.strip()!r}")
            self.module.ports[name] = direction
            if direction:
                self.module.widths[name] = extent

    def _kind(self, text: str) -> tuple[str, tuple[int, int] | None, str]:
        """Direction, range and remaining text of a declaration; the direction is empty for a net."""
        direction = ""
        while (word := _DECLARE.match(text)) is not None:
            if word[1] in ("input", "output", "inout"):
                direction = word[1]
            text = text[word.end():].lstrip()
            if text.startswith("signed") and text[6:7].isspace():
                text = text[6:].lstrip()
        found = _RANGE.match(text)
        if found is None:
            return direction, None, text
        return direction, (int(found[1]), int(found[2])), text[found.end():]

    def body(self, text: str, position: int) -> int:
        module = self.module
        while True:
            ended = _ENDMODULE.match(text, position)
            if ended is not None:
                return ended.end()
            found = _STATEMENT.match(text, position)
            if found is None:
                raise self.fail("the text is cut short: 'endmodule' does not come")
            position = found.end()
            statement = found[1].strip()
            if not statement:
                continue
            if _DECLARE.match(statement):
                self._declare(statement)
            elif statement.startswith("assign") and not statement[6:7].isalnum():
                left, equal, right = statement[6:].partition("=")
                if not equal:
                    raise self.fail(f"cannot read {statement[:60]!r}")
                to, of = self.expression(left), self.expression(right)
                module.assigns.append((to, of + [("", 0)] * (len(to) - len(of))))
            else:
                self._instance(statement)

    def _declare(self, statement: str) -> None:
        direction, extent, rest = self._kind(statement)
        value = None
        for item in _split(rest):
            name, equal, right = item.partition("=")
            name = _plain(name.strip())
            if extent is not None or name not in self.module.widths:
                self.module.widths[name] = extent
            if direction:
                self.module.ports[name] = direction
            if equal and statement.startswith(("wire", "tri", "logic")):
                value = self.expression(right)
                self.module.assigns.append((self.module.bits(name), value))

    def _instance(self, statement: str) -> None:
        found = _INSTANCE.match(statement)
        if found is None:
            raise self.fail(f"{' '.join(statement.split())[:60]!r} is not structural Verilog: "
                            "a declaration, an assign of nets or an instance with named ports is allowed")
        ports: dict[str, list[Bit]] = {}
        text = found[3].strip()
        position = 0
        while position < len(text):
            port = _PORT.match(text, position)
            if port is None:
                raise self.fail(f"instance {_plain(found[2])}: cannot read the port at "
                                f"{text[position:position + 40]!r}")
            key = port[2]
            bits = self.known.get(key)
            if bits is None:
                bits = self.known[key] = self.expression(key)
            ports[_plain(port[1])] = bits
            position = port.end()
        self.module.instances.append((_plain(found[1]), _plain(found[2]), ports))

    def expression(self, text: str) -> list[Bit]:
        """Bits of an expression, least significant first."""
        stripped = text.strip()
        if not stripped:
            return []
        if stripped[0] == "{":
            return self._concatenation(stripped)
        select = _SELECT.match(stripped if stripped[0] != "\\" else stripped + " ")
        if select is not None:
            return self._select(_plain(select[1]), select[2], select[3])
        constant = _CONSTANT.match(stripped)
        if constant is not None:
            return self._constant(constant[1], constant[2].lower(), constant[3].replace("_", ""))
        if stripped.isdigit():
            return [("", int(stripped) >> k & 1) for k in range(32)]
        raise self.fail(f"the expression {stripped[:60]!r} is not structural Verilog: nets, selects, "
                        "concatenations and constants are allowed")

    def _select(self, name: str, high: str | None, low: str | None) -> list[Bit]:
        if high is None:
            return self.module.bits(name)
        first = int(high)
        last = first if low is None else int(low)
        extent = self.module.widths.get(name)
        if extent is None or not min(extent) <= min(first, last) <= max(first, last) <= max(extent):
            raise self.fail(f"{name}[{high}{'' if low is None else ':' + low}] is outside the net's declaration")
        step = 1 if first >= last else -1
        return [(name, index) for index in range(last, first + step, step)]

    def _concatenation(self, text: str) -> list[Bit]:
        if text[-1] != "}":
            raise self.fail(f"cannot read the concatenation {text[:60]!r}")
        inside = text[1:-1].strip()
        repeated = re.match(r"(\d+)\s*(\{.*\})$", inside, re.DOTALL)
        if repeated is not None:
            if int(repeated[1]) > 65536:
                raise self.fail(f"a replication of {repeated[1]}; at most 65536 is allowed")
            return self._concatenation(repeated[2]) * int(repeated[1])
        bits: list[Bit] = []
        for part in reversed(_split(inside)):
            bits += self.expression(part)
        return bits

    def _constant(self, width: str, base: str, digits: str) -> list[Bit]:
        if base == "d":
            if not digits.isdigit():
                raise self.fail(f"cannot read the constant {digits!r}")
            return [("", int(digits) >> k & 1) for k in range(int(width or 32))]
        size = _BASES[base]
        bits: list[Bit] = []
        for digit in reversed(digits.lower()):
            if digit in "xz?":
                bits += [("", 2)] * size
                continue
            try:
                value = int(digit, 1 << size)
            except ValueError:
                raise self.fail(f"cannot read the constant {width}'{base}{digits}") from None
            bits += [("", value >> k & 1) for k in range(size)]
        length = int(width or 32)
        return (bits + [("", 0)] * (length - len(bits)))[:length]


def _split(text: str) -> list[str]:
    """Split at the commas that stand outside braces and parentheses."""
    if "{" not in text and "(" not in text:
        return text.split(",")
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        if letter in "{(":
            depth += 1
        elif letter in "})":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return parts
