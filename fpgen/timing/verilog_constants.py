"""Constants of structural Verilog: literals as bits, and constant expressions as numbers.

Source: IEEE 1364-2005, clauses 3.5.1 (integer constants) and 5 (expressions).
"""

import operator
import re
from collections.abc import Mapping, Sequence

# A net bit: (name, index), index None for a scalar; or a constant, ("", 0), ("", 1), ("", 2) for x and z.
Bit = tuple[str, int | None]

#: Bits of a literal without a width, as the standard's least.
UNSIZED = 32
#: The largest width, and the largest number in a constant expression.
WIDEST = 1 << 20
_LARGEST = 1 << 64

_BASED = re.compile(r"([\d_]*)\s*'\s*([sS]?)([bodhBODH])\s*(\S+)")
_BITS = {"b": 1, "o": 3, "h": 4}
# How tightly the operators of constant expressions bind.
_TIGHTNESS = {"<<": 1, ">>": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3, "**": 4}
_OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "**": operator.pow,
}
_DEEPEST = 100


class Bits(list[Bit]):
    """Bits of an expression, least significant first.

    `signed` says that it is extended by its top bit; `elastic` that it is a literal without a width, of which as many
    bits are taken as are wanted.
    """

    signed = False
    elastic = False

    def fitted(self, width: int) -> "Bits":
        """The bits extended or cut to a width."""
        missing = width - len(self)
        if missing <= 0:
            return Bits(self[:width])
        by_top = self and (self.signed or (self.elastic and self[-1][1] == 2))
        return Bits([*self, *[self[-1] if by_top else ("", 0)] * missing])


def literal(text: str) -> Bits:
    """The bits of a number as it is written: `4'b10x1`, `8 'hF_F`, `'b0`, `'1`, `12`.

    Raises
    ------
    ValueError
        Saying what is wrong with it.
    """
    if text[0] == "'" and len(text) == 2:
        found = Bits([("", {"0": 0, "1": 1}.get(text[1], 2))] * UNSIZED)
        found.elastic = found.signed = True
        return found
    match = _BASED.fullmatch(text)
    if match is None:
        return _plain(text)
    given = match[1].replace("_", "")
    width = int(given) if given and len(given) < 9 else UNSIZED if not given else WIDEST + 1
    if not 0 < width <= WIDEST:
        raise ValueError(f"the constant {text!r}: got a width of {match[1]}; expected 1 to {WIDEST} bits")
    base, digits = match[3].lower(), match[4].replace("_", "").lower()
    bits = _decimal(text, digits, width) if base == "d" else _digits(text, digits, _BITS[base])
    top = bits[-1] if bits[-1][1] == 2 else ("", 0)
    found = Bits((bits + [top] * (width - len(bits)))[:width])
    found.signed, found.elastic = bool(match[2]), not given
    return found


def _plain(text: str) -> Bits:
    if not re.fullmatch(r"\d[\d_]*", text) or len(text) > 20:
        raise ValueError(f"the constant {text[:30]!r}: got no whole number of at most 64 bits; expected one")
    value = int(text.replace("_", ""))
    found = Bits([("", value >> place & 1) for place in range(max(UNSIZED, value.bit_length() + 1))])
    found.signed = found.elastic = True
    return found


def _decimal(text: str, digits: str, width: int) -> list[Bit]:
    if digits in ("x", "z", "?"):
        return [("", 2)]
    if not digits.isdigit() or len(digits) > 1000:
        raise ValueError(f"the constant {text[:30]!r}: got {digits[:30]!r}; expected decimal digits")
    value = int(digits)
    return [("", value >> place & 1) for place in range(width)]


def _digits(text: str, digits: str, size: int) -> list[Bit]:
    bits: list[Bit] = []
    for digit in reversed(digits):
        if digit in "xz?":
            bits += [("", 2)] * size
            continue
        value = int(digit, 16)
        if value >> size:
            raise ValueError(f"the constant {text[:30]!r}: got the digit {digit!r}; expected digits of its base")
        bits += [("", value >> place & 1) for place in range(size)]
    if not bits:
        raise ValueError(f"the constant {text[:30]!r}: got no digits; expected some")
    return bits


def evaluate(words: Sequence[str], at: int, parameters: Mapping[str, int]) -> tuple[int, int]:
    """The value of the constant expression at `words[at]`, and the place behind it.

    Raises
    ------
    ValueError
        Saying what is wrong with it.
    """
    return _binary(words, at, parameters, 1, 0)


def _binary(words: Sequence[str], at: int, parameters: Mapping[str, int], least: int, depth: int) -> tuple[int, int]:
    left, at = _operand(words, at, parameters, depth)
    while True:
        sign = words[at]
        taken = 1
        if sign in ("<", ">", "*") and words[at + 1] == sign:
            sign, taken = sign * 2, 2
        tightness = _TIGHTNESS.get(sign, 0)
        if tightness < least or words[at + taken] == ":":  # `+:` and `-:` belong to a select
            return left, at
        right, at = _binary(words, at + taken, parameters, tightness + 1, depth + 1)
        left = _applied(sign, left, right)


def _operand(words: Sequence[str], at: int, parameters: Mapping[str, int], depth: int) -> tuple[int, int]:
    word = words[at]
    if depth > _DEEPEST:
        raise ValueError(f"a constant expression: got more than {_DEEPEST} levels; expected fewer")
    if word in ("-", "+"):
        value, at = _operand(words, at + 1, parameters, depth + 1)
        return -value if word == "-" else value, at
    if word == "(":
        value, at = _binary(words, at + 1, parameters, 1, depth + 1)
        if words[at] != ")":
            raise ValueError(f"a constant expression: got {words[at]!r}; expected ')'")
        return value, at + 1
    if word[:1].isdigit() or (word[:1] == "'" and len(word) > 1):
        bits = literal(word)
        if any(value == 2 for _, value in bits):
            raise ValueError(f"a constant expression: got {word!r}; expected a number without x and z")
        value = sum((index or 0) << place for place, (_, index) in enumerate(bits))
        return value - (1 << len(bits) if bits.signed and bits[-1][1] else 0), at + 1
    name = word.removeprefix("\\")
    if name in parameters:
        return parameters[name], at + 1
    raise ValueError(
        f"a constant expression: got {word!r}; expected numbers, parameters of the module, "
        "+ - * / % ** << >> and parentheses"
    )


def _applied(sign: str, left: int, right: int) -> int:
    if sign in ("/", "%"):
        if not right:
            raise ValueError("a constant expression: got a division by 0; expected another divisor")
        whole = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return whole if sign == "/" else left - whole * right
    if sign in ("<<", ">>", "**") and not 0 <= right <= 64:
        raise ValueError(f"a constant expression: got {sign} {right}; expected 0 to 64 after {sign}")
    value: int = _OPERATORS[sign](left, right)
    if abs(value) > _LARGEST:
        raise ValueError(f"a constant expression: got more than 2**64 after {sign!r}; expected less")
    return value
