"""Expressions of structural Verilog: nets, selects, concatenations, replications and constants, as bits."""

from fpgen.base.errors import RunFailure

from .structural import Module, Range, indices
from .structural_words import KEYWORDS
from .verilog_constants import WIDEST, Bits, evaluate, literal
from .verilog_tokens import Tokens

_EXPECTED = "a net, a select, a concatenation or a constant"
_DEEPEST = 200


class Expressions:
    """A place in a list of tokens, and the expression that begins there; those seen once are remembered."""

    def __init__(self, tokens: Tokens, at: int) -> None:
        self.tokens, self.words, self.at = tokens, tokens.words, at
        self.module = Module("")
        self.signed: set[str] = set()
        self.undeclared: set[str] = set()
        # What a token, or a bit select (net, number), stands for; names as tokens and without the backslash.
        self.known: dict[str | tuple[str, str], Bits] = {}
        self.plain: dict[str, str] = {}

    def fail(self, what: str, at: int | None = None) -> RunFailure:
        """An error at a place, that of the reader by default."""
        words, at = self.words, self.at if at is None else at
        inside = f"module {self.module.name}: " if self.module.name else ""
        if words[at] == "/" and words[at + 1] == "*":
            what = "a comment is not closed: got /*; expected */ after it"
        elif words[at] == "(" and words[at + 1] == "*" and words[at + 2] != ")":
            what = "an attribute is not closed: got (*; expected *) after it"
        elif words[at] in ('"', "`"):
            what = f"a string or directive is not closed or has no name: got {words[at]}; expected the rest of it"
        elif not words[at]:
            what = f"the text is cut short: got its end; expected {what.rpartition('expected ')[2]}"
        return RunFailure(f"{self.tokens.place(at)}: {inside}{what}")

    def odd(self, expected: str) -> RunFailure:
        """The error of a token that fits nowhere."""
        return self.fail(f"not structural Verilog: got {self.words[self.at][:60]!r}; expected {expected}")

    def take(self, word: str) -> None:
        """Pass over one token."""
        if self.words[self.at] != word:
            raise self.odd(repr(word))
        self.at += 1

    def name(self, expected: str) -> str:
        """The name at this place, without the backslash of an escaped one."""
        word = self.words[self.at]
        if not self._is_name(word):
            raise self.odd(expected)
        self.at += 1
        found = self.plain[word] = word[1:] if word[0] == "\\" else word
        return found

    def constant(self) -> int:
        """The value of a constant expression."""
        try:
            value, self.at = evaluate(self.words, self.at, self.module.parameters)
        except ValueError as error:
            raise self.fail(str(error)) from None
        return value

    def range(self) -> Range:
        """The numbers of `[a:b]`."""
        at = self.at
        self.take("[")
        high = self.constant()
        self.take(":")
        low = self.constant()
        self.take("]")
        if abs(high - low) >= WIDEST:
            raise self.fail(f"the range [{high}:{low}]: got {abs(high - low) + 1} bits; expected at most {WIDEST}", at)
        return high, low

    def expression(self, depth: int = 0) -> Bits:
        """Bits of the expression at this place, least significant first."""
        word = self.words[self.at]
        if self._is_name(word):
            return self._net()
        if word == "{":
            return self._concatenation(depth)
        if word == "(" and depth < _DEEPEST:
            self.at += 1
            found = self.expression(depth + 1)
            self.take(")")
            return found
        if word[:1].isdigit() or (word[:1] == "'" and len(word) > 1):
            try:
                found = literal(word)
            except ValueError as error:
                raise self.fail(str(error)) from None
            self.at += 1
            return found
        raise self.odd(_EXPECTED)

    @staticmethod
    def _is_name(word: str) -> bool:
        first = word[:1]
        return ((first.isalpha() or first == "_") and word not in KEYWORDS) or (first == "\\" and len(word) > 1)

    def _net(self) -> Bits:
        at, word = self.at, self.words[self.at]
        name = self.name(_EXPECTED)
        module = self.module
        if self.words[self.at] == ".":
            raise self.fail(
                f"{name}.{self.words[self.at + 1]}: got a name inside an instance; expected a net of the module", at
            )
        if self.words[self.at] != "[":
            if name not in module.widths:
                self.undeclared.add(name)
            found = module.bits(name)
            found.signed = name in self.signed
            if name in module.parameters and name not in module.widths:
                raise self.fail(f"the parameter {name} as a value: got a parameter; expected {_EXPECTED}", at)
            self.known[word] = found
            return found
        self.at += 1
        first = self.constant()
        sign = self.words[self.at]
        extent = module.widths.get(name)
        if sign == "]":
            last, written = first, str(first)
        elif sign == ":":
            self.at += 1
            last = self.constant()
            written = f"{first}:{last}"
        elif sign in ("+", "-") and self.words[self.at + 1] == ":":
            self.at += 2
            width = self.constant()
            written = f"{first} {sign}: {width}"
            if not 0 < width <= WIDEST:
                raise self.fail(f"{name}[{written}]: got a width of {width}; expected 1 to {WIDEST}", at)
            far = first + (width - 1 if sign == "+" else 1 - width)
            falls = extent is None or extent[0] >= extent[1]
            first, last = (max(first, far), min(first, far)) if falls else (min(first, far), max(first, far))
        else:
            raise self.odd("']', ':', '+:' or '-:'")
        self.take("]")
        if self.words[self.at] == "[":
            raise self.fail(f"{name}[{written}][: got a second select; expected one", at)
        if extent is None:
            declared = f"{name} without a range" if name in module.widths else f"no declaration of {name}"
            raise self.fail(
                f"{name}[{written}] is outside the net's declaration: got {declared}; expected a net that "
                "is declared before with a range",
                at,
            )
        ends = f"[{extent[0]}:{extent[1]}]"
        if not min(extent) <= min(first, last) <= max(first, last) <= max(extent):
            raise self.fail(
                f"{name}[{written}] is outside the net's declaration: got a net of {ends}; expected bits of it", at
            )
        if first != last and (first > last) != (extent[0] > extent[1]):
            raise self.fail(f"{name}[{written}]: got the order of the bits reversed; expected that of {ends}", at)
        found = Bits([(name, index) for index in indices((first, last))])
        if self.at == at + 4:
            self.known[word, self.words[at + 2]] = found
        return found

    def _concatenation(self, depth: int) -> Bits:
        if depth >= _DEEPEST:
            raise self.fail(f"a concatenation: got more than {_DEEPEST} inside each other; expected fewer")
        at = self.at
        self.at += 1
        word = self.words[self.at]
        starts = word[:1].isdigit() or word == "(" or word.removeprefix("\\") in self.module.parameters
        if starts and (times := self._times()) is not None:
            inner = self._concatenation(depth + 1)
            self.take("}")
            if not 0 < times * len(inner) <= WIDEST:
                raise self.fail(f"a replication: got {times} times {len(inner)} bits; expected 1 to {WIDEST} bits", at)
            return Bits(inner * times)
        parts = []
        while True:
            start = self.at
            parts.append(self.expression(depth + 1))
            if parts[-1].elastic:
                raise self.fail(
                    f"a concatenation: got {self.words[start]} without a width; expected one with a width", start
                )
            if self.words[self.at] != ",":
                break
            self.at += 1
        self.take("}")
        return Bits([bit for part in reversed(parts) for bit in part])

    def _times(self) -> int | None:
        """How often the concatenation that follows is repeated; None, and the place as before, where none follows."""
        try:
            value, behind = evaluate(self.words, self.at, self.module.parameters)
        except ValueError:
            return None
        if self.words[behind] != "{":
            return None
        self.at = behind
        return value
