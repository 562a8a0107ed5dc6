"""Expressions of Verilog-2001 as text with a precedence; every width explicit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fpgen.rtl.graph import Node

# Binding strength, weakest first.
CHOICE, OR, XOR, AND, COMPARE, SUM, PRODUCT, UNARY, PRIMARY = range(9)

_BINARY = {"and": (" & ", AND), "or": (" | ", OR), "xor": (" ^ ", XOR), "add": (" + ", SUM)}
_REDUCTION = {"any": "|", "all": "&", "parity": "^"}


@dataclass(frozen=True, slots=True)
class Text:
    """Source text, how tightly its outermost operator binds, and the width of its value."""

    text: str
    strength: int
    width: int
    operator: str = ""
    #: Of a part of a vector: its name, width, first bit's number, and the part's lowest bit.
    part: tuple[str, int, int, int] | None = None

    @property
    def closed(self) -> str:
        """The text as an operand of anything: parenthesised unless it is a name, literal, slice or concatenation."""
        return self.text if self.strength == PRIMARY else f"({self.text})"


class BitsText(Protocol):
    """How a language writes some bits of a vector; see `bits`."""

    def __call__(self, name: str, whole: int, low: int, high: int, first: int = 0) -> Text: ...


@dataclass(frozen=True)
class Spelling:
    """How a language writes what a graph consists of; `VERILOG` says what each of the functions is given."""

    literal: Callable[[int, int], Text]
    bits: BitsText
    concatenation: Callable[[list[Text]], Text]
    operation: Callable[[Node, list[Text]], Text]


def literal(value: int, width: int) -> Text:
    """A sized constant: binary up to 4 bits, decimal for zero, hexadecimal otherwise."""
    if width == 1 or (width <= 4 and value):
        return Text(f"{width}'b{value:0{width}b}", PRIMARY, width)
    if value == 0:
        return Text(f"{width}'d0", PRIMARY, width)
    if value == (1 << width) - 1:
        return Text(f"{{{width}{{1'b1}}}}", PRIMARY, width)
    return Text(f"{width}'h{value:0{(width + 3) // 4}x}", PRIMARY, width)


def bits(name: str, whole: int, low: int, high: int, first: int = 0) -> Text:
    """Bits `low` to `high` of a vector of `whole` bits, whose lowest is numbered `first`."""
    part = (name, whole, first, low)
    if high - low == whole:
        return Text(name, PRIMARY, whole, part=part)
    if high - low == 1:
        return Text(f"{name}[{first + low}]", PRIMARY, 1, part=part)
    return Text(f"{name}[{first + high - 1}:{first + low}]", PRIMARY, high - low, part=part)


def _joined(low: Text, high: Text, bits: BitsText) -> Text | None:
    """One part of a vector for two neighbouring ones."""
    if low.part is None or high.part is None or low.part[:3] != high.part[:3]:
        return None
    name, whole, first, start = low.part
    if start + low.width != high.part[3]:
        return None
    return bits(name, whole, start, start + low.width + high.width, first)


def joined_runs(parts: list[Text], bits: BitsText) -> list[tuple[Text, int]]:
    """The parts of a concatenation, neighbours in a vector as one, and how often each stands there in a row.

    Only single bits are counted: a replication of them is common, and is short in any language.
    """
    runs: list[tuple[Text, int]] = []
    for part in parts:
        last, count = runs[-1] if runs else (None, 0)
        joined = _joined(last, part, bits) if last is not None and count == 1 else None
        if joined is not None:
            runs[-1] = (joined, 1)
        elif last is not None and last.text == part.text and part.width == 1:
            runs[-1] = (last, count + 1)
        else:
            runs.append((part, 1))
    return runs


def concatenation(parts: list[Text]) -> Text:
    """Parts given least significant first; runs of the same part become a replication."""
    runs = joined_runs(parts, bits)
    if len(runs) == 1 and runs[0][1] == 1:
        return runs[0][0]
    spelled = [part.text if count == 1 else f"{{{count}{{{part.text}}}}}" for part, count in reversed(runs)]
    whole = spelled[0] if len(runs) == 1 else "{" + ", ".join(spelled) + "}"
    return Text(whole, PRIMARY, sum(part.width for part in parts))


def extended(x: Text, width: int) -> Text:
    """Zero-extended (or cut, when it is a wider product's operand: not needed so far) to `width` bits."""
    return x if x.width == width else concatenation([x, literal(0, width - x.width)])


def _operand(x: Text, operator: str) -> str:
    """As an operand of a binary operator: a chain of the same associative operator needs no parentheses."""
    if x.strength >= UNARY or x.operator == operator:
        return x.text if x.strength != UNARY or x.text[0] == "~" else f"({x.text})"
    return f"({x.text})"


def operation(node: Node, args: list[Text]) -> Text:
    """The expression of an operation on already spelled arguments, none of which is wider than needed."""
    op, width = node.op, node.width
    if op in _BINARY:
        sign, strength = _BINARY[op]
        if len(args) > 2:
            args = [args[0], args[1], extended(args[2], width)]
        return Text(sign.join(_operand(arg, sign) for arg in args), strength, width, sign)
    if op == "not":
        return complement(args[0])
    if op == "mux":
        select, high, low = args
        # A chain of choices reads downwards: a ? b : c ? d : e.
        other = low.text if low.strength == CHOICE else _operand(low, "?")
        return Text(f"{_operand(select, '')} ? {_operand(high, '')} : {other}", CHOICE, width, "?")
    if op in _REDUCTION:
        return Text(_REDUCTION[op] + args[0].closed, UNARY, 1)
    if op == "eq":
        return Text(f"{_operand(args[0], '')} == {_operand(args[1], '')}", COMPARE, 1, "==")
    if op == "ult":
        return Text(f"{_operand(args[0], '')} < {_operand(args[1], '')}", COMPARE, 1, "<")
    if op == "sub":
        return Text(f"{_operand(args[0], '')} - {_operand(args[1], '')}", SUM, width, "-")
    if op == "mul" and node.value == "signed":  # both as wide as the product: only the synthesiser reads the sign
        return Text(f"$signed({args[0].text}) * $signed({args[1].text})", PRODUCT, width, "*")
    if op == "mul":
        return Text(f"{extended(args[0], width).closed} * {extended(args[1], width).closed}", PRODUCT, width, "*")
    raise ValueError(f"unknown operation {op}")


def complement(x: Text) -> Text:
    """``~x``."""
    return Text("~" + x.closed, UNARY, x.width)


VERILOG = Spelling(literal, bits, concatenation, operation)


def range_of(width: int, low: int = 0) -> str:
    """The range in a declaration, with a blank behind it; empty for a single bit."""
    return f"[{low + width - 1}:{low}] " if width > 1 else ""
