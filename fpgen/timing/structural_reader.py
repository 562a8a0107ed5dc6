"""One module of structural Verilog: header, declarations, assigns, instances, read token by token."""

from collections.abc import Callable

from fpgen.base.errors import RunFailure

from .structural import NetlistPort, Placed, Range
from .structural_expressions import Expressions
from .structural_words import BEHAVIOUR, DIRECTIONS, GATES, NETS, RESOLVED, SUPPLIES, VARIABLES
from .verilog_constants import Bits
from .verilog_tokens import BLACK_BOX, Tokens

_DECLARATIONS = (*DIRECTIONS, *NETS, *SUPPLIES)


class ModuleReader(Expressions):
    """Reads the module that begins at a token."""

    def __init__(self, tokens: Tokens, at: int) -> None:
        super().__init__(tokens, at)
        self.placed: set[str] = set()  # names of instances
        self.is_signed = self.is_variable = False  # the nets of the declaration that was read last
        self.statements: dict[str, Callable[[], None]] = {
            **dict.fromkeys(_DECLARATIONS, self._declare),
            "assign": self._assign,
            ";": self._skip_one,
            "parameter": self._parameters,
            "localparam": self._parameters,
            "defparam": self._defparam,
        }

    def read(self) -> int:
        """Fill the module; the place behind it."""
        if self.words[self.at] == BLACK_BOX:
            self.module.black_box = True
            self.at += 1
        self.module.at = self.at
        if self.words[self.at] not in ("module", "macromodule"):
            raise self.odd("'module'")
        self.at += 1
        self.module.name = self.name("the name of a module")
        if self.words[self.at] == "#":
            self.at += 1
            self.take("(")
            while self.words[self.at] != ")":
                self._parameter()
                if self.words[self.at] != ")":
                    self.take(",")
            self.at += 1
        later = self._header()
        self._body()
        end = self.at
        for name, at in later:
            self.module.ports.append(self._port(name, at))
        return end

    def _header(self) -> list[tuple[str | None, int]]:
        """Read the list of ports; the name and place of each, for when all is declared."""
        found: list[tuple[str | None, int]] = []
        if self.words[self.at] == "(":
            self.at += 1
            kind: tuple[str, Range | None, str] = ("", None, "")
            while self.words[self.at] != ")":
                if self.words[self.at] in _DECLARATIONS:
                    kind = self._kind()
                found.append(self._header_port(*kind))
                if self.words[self.at] == ",":
                    self.at += 1
                    if self.words[self.at] == ")":
                        found.append((None, self.at))
                elif self.words[self.at] != ")":
                    raise self.odd("',' or ')' in the list of ports")
            self.at += 1
        self.take(";")
        return found

    def _header_port(self, direction: str, extent: Range | None, supply: str) -> tuple[str | None, int]:
        words, at = self.words, self.at
        if direction:
            name = self.name("the name of a port")
            self._declared(name, direction, extent, supply)
            return name, at
        if words[at] == ".":
            self.at += 1
            name = self.name("the name of a port")
            self.take("(")
            at = self.at
            self._skip_to(")")
            self.at += 1
            return name, at
        if words[at] in (",", ")"):
            return None, at
        if words[at] == "{" or words[at + 1] == "[":
            self._skip_to(",", ")")
            return None, at
        name = self.name("the name of a port")
        self.module.directions.setdefault(name, "")
        return name, at

    def _port(self, name: str | None, at: int) -> NetlistPort:
        self.at = at
        bits = Bits() if self.words[at] in (",", ")") else self.expression()
        if not all(bit[0] for bit in bits):
            raise self.fail(f"the port {name or ''}: got a constant; expected nets", at)
        return NetlistPort(name, bits)

    def _skip_to(self, *ends: str) -> None:
        """Pass over tokens to one of `ends` outside all brackets."""
        depth = 0
        while depth or self.words[self.at] not in ends:
            word = self.words[self.at]
            if not word or word in (";", "endmodule"):
                raise self.odd(" or ".join(repr(end) for end in ends))
            depth += (word in "([{") - (word in ")]}")
            self.at += 1

    def _skip_one(self) -> None:
        self.at += 1

    def _body(self) -> None:
        words, statements = self.words, self.statements
        while True:
            word = words[self.at]
            statement = statements.get(word)
            if statement is not None:
                statement()
            elif word == "endmodule":
                self.at += 1
                if words[self.at] == ":":
                    self.at += 1
                    name = self.name("the name of the module")
                    if name != self.module.name:
                        raise self.fail(f"endmodule : {name}; expected endmodule : {self.module.name}", self.at - 1)
                return
            else:
                self._instances()

    def _parameters(self) -> None:
        self._parameter()
        while self.words[self.at] == ",":
            self.at += 1
            self._parameter()
        self.take(";")

    def _parameter(self) -> None:
        words = self.words
        while words[self.at] in ("parameter", "localparam", "signed", "unsigned", "integer", "real", "string"):
            self.at += 1
        if words[self.at] == "[":
            self.range()
        name = self.name("the name of a parameter")
        self.take("=")
        if words[self.at][:1] == '"' or "." in words[self.at]:
            self.at += 1  # a string or a real number is of no use in a range
        else:
            self.module.parameters[name] = self.constant()

    def _defparam(self) -> None:
        at = self.at
        while self.words[self.at] != ";":
            self.at += 1
            self.module.set_outside.append((self.name("the name of an instance"), at))
            self._skip_to(",", ";")
        self.at += 1

    def _kind(self) -> tuple[str, Range | None, str]:
        """Direction (empty for a net), range and constant (`0`, `1` or empty) of a declaration."""
        direction = supply = ""
        words = self.words
        self.is_signed = self.is_variable = False
        while (word := words[self.at]) in _DECLARATIONS:
            if word in DIRECTIONS:
                direction = word
            elif word in SUPPLIES:
                supply = word[-1]
            self.is_variable = self.is_variable or word in VARIABLES
            self.at += 1
        while words[self.at] in ("signed", "unsigned", "vectored", "scalared"):
            self.is_signed = self.is_signed or words[self.at] == "signed"
            self.at += 1
        if words[self.at] in RESOLVED:
            raise self._resolved()
        if words[self.at] in ("#", "("):
            raise self.fail(
                f"a declaration with a delay or strength: got {words[self.at]!r}; expected a range or a name"
            )
        extent = self.range() if words[self.at] == "[" else None
        if words[self.at] == "[":
            raise self.fail("an array of vectors: got a second range; expected a net of one range")
        return direction, extent, supply

    def _resolved(self) -> RunFailure:
        return self.fail(
            f"got a {self.words[self.at]} net; expected wire: what several drivers make of a net is not worked out"
        )

    def _declared(self, name: str, direction: str, extent: Range | None, supply: str) -> None:
        module, at = self.module, self.at - 1
        if extent is not None or name not in module.widths:
            before = module.widths.get(name)
            if before is not None and extent is not None and before != extent:
                raise self.fail(
                    f"{name}: got the ranges [{before[0]}:{before[1]}] and [{extent[0]}:{extent[1]}]; "
                    "expected the same one in all its declarations",
                    at,
                )
            if name in self.undeclared and extent is not None:
                raise self.fail(f"{name}: got its declaration with a range after its use; expected it before", at)
            module.widths[name] = extent
            self.known.pop(name, None)
            self.known.pop(f"\\{name}", None)
        if self.is_signed:
            self.signed.add(name)
        if direction:
            if module.directions.get(name, direction) not in ("", direction):
                raise self.fail(f"{name}: got {module.directions[name]} and {direction}; expected one direction", at)
            module.directions[name] = direction
        if supply:
            bits = module.bits(name)
            module.assigns.append((bits, Bits([("", int(supply))] * len(bits))))

    def _declare(self) -> None:
        direction, extent, supply = self._kind()
        words = self.words
        while True:
            name = self.name("the name of a net")
            if words[self.at] == "[":
                raise self.fail(f"{name}: got an array of nets; expected a net of one range")
            self._declared(name, direction, extent, supply)
            if words[self.at] == "=":
                self.at += 1
                start, value = self.at, self.expression()
                if not self.is_variable:
                    self._connect(self.module.bits(name), value)
                elif any(bit[0] for bit in value):
                    raise self.fail(
                        f"{name}: got nets as the value that a variable begins with; expected a wire, or a constant",
                        start,
                    )
            if words[self.at] == ";":
                self.at += 1
                return
            if words[self.at] != ",":
                raise self.odd(
                    "',' or ';' after a name"
                    if words[self.at] not in ("?", "+", "&")
                    else "a net, a select, a concatenation or a constant"
                )
            self.at += 1

    def _assign(self) -> None:
        self.at += 1
        if self.words[self.at] in ("#", "(") and self.words[self.at - 1] == "assign":
            raise self.fail(f"an assign with a delay or strength: got {self.words[self.at]!r}; expected a net")
        while True:
            start = self.at
            left = self.expression()
            if not all(bit[0] for bit in left):
                raise self.fail("an assign to a constant: got a constant before '='; expected nets", start)
            self.take("=")
            self._connect(left, self.expression())
            word = self.words[self.at]
            if word not in (",", ";"):
                raise self.odd("',' or ';': an assign joins nets, selects, concatenations and constants")
            self.at += 1
            if word == ";":
                return

    def _connect(self, left: Bits, right: Bits) -> None:
        if len(left) != len(right):
            if not right.elastic:
                self.module.uneven.append(left[0][0])
            right = right.fitted(len(left))
        self.module.assigns.append((left, right))

    def _instances(self) -> None:
        words = self.words
        cell_word = words[self.at]
        if cell_word in RESOLVED:
            raise self._resolved()
        if cell_word in GATES or cell_word in BEHAVIOUR or not self._is_name(cell_word):
            kind = (
                "a gate of Verilog's own, which no library times"
                if cell_word in GATES
                else "behaviour"
                if cell_word in BEHAVIOUR
                else "neither a name nor a declaration"
            )
            if not cell_word:
                raise self.odd("'endmodule'")
            raise self.fail(
                f"not structural Verilog: got {cell_word[:60]!r}, {kind}; expected a declaration, an "
                "assign of nets or an instance"
            )
        at = self.at
        cell = self.name("the name of a cell")
        parametrised = words[self.at] == "#"
        if parametrised:
            self.at += 1
            if words[self.at] == "(":
                self.at += 1
                self._skip_to(")")
            self.at += 1
        while True:
            name = self.name(f"the name of an instance of {cell}")
            if name in self.placed:
                raise self.fail(f"the instance {name}: got a second one of that name; expected one", self.at - 1)
            self.placed.add(name)
            if parametrised:
                self.module.set_outside.append((name, at))
            extent = self.range() if words[self.at] == "[" else None
            self.take("(")
            ports: dict[str, Bits] | list[Bits] = self._named() if words[self.at] == "." else self._ordered()
            self.module.instances.append(Placed(cell, name, ports, extent, at))
            word = words[self.at]
            self.at += 1
            if word == ";":
                return
            if word != ",":
                self.at -= 1
                raise self.odd("',' or ';' after an instance")
            at = self.at

    def _named(self) -> dict[str, Bits]:
        """The ports of an instance by name; the closing parenthesis is passed over."""
        words, known, plain = self.words, self.known, self.plain
        ports: dict[str, Bits] = {}
        at = self.at
        while True:
            if words[at] != ".":
                self.at = at
                raise self.odd("'.' and the name of a port")
            pin_word = words[at + 1]
            # A name or a bit of one that was seen before, as nearly all are: straight from the tokens.
            bits = None
            if words[at + 2] == "(":
                if words[at + 4] == ")":
                    bits, behind = known.get(words[at + 3]), at + 5
                elif words[at + 4] == "[" and words[at + 6] == "]" and words[at + 7] == ")":
                    bits, behind = known.get((words[at + 3], words[at + 5])), at + 8
            pin = plain.get(pin_word)
            if bits is None or pin is None:
                self.at = at + 1
                pin, bits = self._connection()
                behind = self.at
            if pin in ports:
                self.at = at
                raise self.fail(f"the port {pin}: got two connections; expected one")
            ports[pin] = bits
            at = behind + 1
            if words[behind] == ")":
                self.at = at
                return ports
            if words[behind] != ",":
                self.at = behind
                raise self.odd("',' or ')' after the connection of a port")

    def _connection(self) -> tuple[str, Bits]:
        if self.words[self.at] == "*":
            raise self.fail("got .*; expected the ports by name")
        pin = self.name("the name of a port")
        if self.words[self.at] in (",", ")"):  # .a is .a(a)
            self.at -= 1
            return pin, self.expression()
        self.take("(")
        bits = Bits() if self.words[self.at] == ")" else self.expression()
        self.take(")")
        return pin, bits

    def _ordered(self) -> list[Bits]:
        """The ports of an instance by position; the closing parenthesis is passed over."""
        found: list[Bits] = []
        if self.words[self.at] == ")":
            self.at += 1
            return found
        while True:
            found.append(Bits() if self.words[self.at] in (",", ")") else self.expression())
            word = self.words[self.at]
            if word not in (",", ")"):
                raise self.odd("',' or ')' after the connection of a port")
            self.at += 1
            if word == ")":
                return found
