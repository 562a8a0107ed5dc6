"""Expressions of C++17 as text: vectors of up to 64 bits are `u64`, wider ones `bits<N>` of `cpp_wide.h.tmpl`.

Every value has zeros above its width, so only sums, products and complements are masked. No operation has
undefined behaviour: nothing is signed, and no shift reaches the width of its type.
"""

from __future__ import annotations

from fpgen.rtl.graph import Node
from fpgen.verilog.verilog_expression import (
    AND,
    CHOICE,
    OR,
    PRIMARY,
    PRODUCT,
    SUM,
    UNARY,
    XOR,
    Spelling,
    Text,
    joined_runs,
)

#: Bits of the widest plain integer.
WORD = 64
_BITWISE = {"and": (" & ", AND), "or": (" | ", OR), "xor": (" ^ ", XOR)}


def is_wide(width: int) -> bool:
    """Whether a value of that many bits is a `bits<N>`."""
    return width > WORD


def value_type(width: int) -> str:
    """The type of a value inside the model."""
    return f"bits<{width}>" if is_wide(width) else "u64"


def literal(value: int, width: int) -> Text:
    """A constant: decimal below ten, hexadecimal otherwise."""
    if not is_wide(width):
        return Text(_word(value), PRIMARY, width)
    words = [value >> low & (1 << WORD) - 1 for low in range(0, width, WORD)]
    inside = f"{{{', '.join(map(_word, words))}}}" if value else ""
    return Text(f"bits<{width}>{{{inside}}}", PRIMARY, width)


def _word(value: int) -> str:
    return f"{value}ULL" if value < 10 else f"{value:#x}ULL"


def bits(name: str, whole: int, low: int, high: int, first: int = 0) -> Text:
    """Bits `low` to `high` of a value of `whole` bits; `first` is 0 in a text without registers."""
    part, width = (name, whole, first, low), high - low
    if width == whole:
        return Text(name, PRIMARY, width, part=part)
    if width == 1:
        return Text(f"bit({name}, {low})", PRIMARY, width, part=part)
    if is_wide(width):
        return Text(f"part<{width}>({name}, {low})", PRIMARY, width, part=part)
    return Text(f"part({name}, {high - 1}, {low})", PRIMARY, width, part=part)


def concatenation(parts: list[Text]) -> Text:
    """Parts given least significant first: ``(high << 8) | low``, or ``bits<N>{}.with(0, low).with(8, high)``."""
    runs = joined_runs(parts, bits)
    if len(runs) == 1 and runs[0][1] == 1:
        return runs[0][0]
    placed: list[tuple[int, Text]] = []
    at = 0
    for part, count in runs:
        text = part if count == 1 else _repeated(part, count)
        if text.text != literal(0, text.width).text:
            placed.append((at, text))
        at += text.width
    if not placed:
        return literal(0, at)
    if is_wide(at):
        if len(placed) == 1 and placed[0][1].width == at:
            return placed[0][1]
        return Text(f"bits<{at}>{{}}" + "".join(f".with({low}, {text.text})" for low, text in placed), PRIMARY, at)
    shifted = [Text(f"{text.closed} << {low}", SUM, at, "<<") if low else text for low, text in placed]
    if len(shifted) == 1:
        return Text(shifted[0].text, shifted[0].strength, at, shifted[0].operator)
    return Text(" | ".join(_operand(text, " | ") for text in reversed(shifted)), OR, at, " | ")


def _repeated(bit: Text, count: int) -> Text:
    if bit.text == _word(0):
        return literal(0, count)
    if bit.text == _word(1):
        return literal((1 << count) - 1, count)
    if is_wide(count):
        return Text(f"repeat<{count}>({bit.text})", PRIMARY, count)
    return Text(f"repeat({bit.text}, {count})", PRIMARY, count)


def _operand(x: Text, operator: str) -> str:
    """As an operand: a chain of the same associative operator needs no parentheses, and no other rule is relied on."""
    return x.text if x.strength >= UNARY or x.operator == operator else x.closed


def _masked(x: Text) -> Text:
    """A sum, product or complement modulo 2 to its width; a whole word and `bits` wrap by themselves."""
    if x.width >= WORD:
        return x
    return Text(f"{_operand(x, '')} & {_word((1 << x.width) - 1)}", AND, x.width, " & ")


def extended(x: Text, width: int) -> Text:
    """Zero-extended to `width` bits, which changes the type only where that is wider than a word."""
    if x.width == width or not is_wide(width):
        return Text(x.text, x.strength, width, x.operator)
    return Text(f"bits<{width}>{{}}.with(0, {x.text})", PRIMARY, width)


def operation(node: Node, args: list[Text]) -> Text:
    """The expression of an operation on already spelled arguments.

    Bitwise operations and choices are as wide as their arguments: several single-bit nodes may be written as one.
    """
    op, width = node.op, node.width
    if op in _BITWISE:
        sign, strength = _BITWISE[op]
        return Text(sign.join(_operand(arg, sign) for arg in args), strength, args[0].width, sign)
    if op == "not":
        return _masked(Text(f"~{args[0].closed}", UNARY, args[0].width))
    if op == "mux":
        select, high, low = args
        other = low.text if low.strength == CHOICE else _operand(low, "?")
        return Text(f"{_operand(select, '')} ? {_operand(high, '')} : {other}", CHOICE, high.width, "?")
    if op == "parity":
        return Text(f"parity({args[0].text})", PRIMARY, 1)
    if op == "any":
        return _condition(args[0], "!=", literal(0, args[0].width))
    if op == "all":
        return _condition(args[0], "==", literal((1 << args[0].width) - 1, args[0].width))
    if op in ("eq", "ult"):
        return _condition(args[0], "==" if op == "eq" else "<", args[1])
    words = [extended(arg, width) for arg in args]
    if op == "add":
        return _masked(Text(" + ".join(_operand(word, " + ") for word in words), SUM, width, " + "))
    if op == "sub":
        return _masked(Text(" - ".join(_operand(word, "") for word in words), SUM, width, "-"))
    if op == "mul":
        return _masked(Text(" * ".join(_operand(word, " * ") for word in words), PRODUCT, width, " * "))
    raise ValueError(f"unknown operation {op}")


def _condition(x: Text, sign: str, y: Text) -> Text:
    return Text(f"u64{{{_operand(x, '')} {sign} {_operand(y, '')}}}", PRIMARY, 1)


CPP = Spelling(literal, bits, concatenation, operation)
