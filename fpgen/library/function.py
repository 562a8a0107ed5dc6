"""Boolean functions as Liberty writes them: `!(A1 & A2)`, `(A B) + C'`, `A ^ B`.

Operators from the tightest: `'` after or `!` before (not), `^`, `*` `&` or a space (and), `+` `|` (or).
Source: Liberty Reference Manual, "function" attribute.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w.\[\]]*|[01])|([!'^*&+|()]))")

Evaluate = Callable[[Mapping[str, Any]], Any]
_Operand = Callable[[list[str], int, dict[str, None], int], tuple[str, int]]

_SIGNS = {"|": "+|", "&": "*&", "^": "^"}
# Parentheses in a function: a level makes four of Python's at most, and Python takes 200.
_DEEPEST = 40
# Names and signs in a function; Python's compiler recurses over them.
_LONGEST = 1000


@lru_cache(maxsize=4096)
def python_expression(text: str) -> tuple[str, tuple[str, ...]]:
    """The function as a Python expression over `~ & | ^`, and the pins it names.

    The expression works on integers and numpy arrays of bit masks; `pin(NAME)` becomes `v['NAME']`, and the
    constant 1 as `one`.

    Raises
    ------
    ValueError
        When the text is no Boolean function.
    """
    tokens = []
    position = 0
    stripped = text.strip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ValueError(f"cannot read the function {text!r} at {stripped[position:]!r}")
        tokens.append(match[1] or match[2])
        position = match.end()
    if len(tokens) > _LONGEST:
        raise ValueError(f"function: got {len(tokens)} names and signs; expected at most {_LONGEST}")
    pins: dict[str, None] = {}
    expression, rest = _or(tokens, 0, pins, 0)
    if rest != len(tokens):
        raise ValueError(f"cannot read the function {text!r}: {tokens[rest]!r} is not expected")
    return expression, tuple(pins)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The function in the one spelling that no reader of Liberty takes otherwise: `! & ^ |`, every operator written.

    Several operators are in parentheses, so that it does not matter which of them a reader takes as the tighter one.

    Raises
    ------
    ValueError
        When the text is no Boolean function.
    """
    return _spelled(ast.parse(python_expression(text)[0], mode="eval").body, outermost=True)


def _spelled(node: ast.expr, outermost: bool = False) -> str:
    match node:
        case ast.UnaryOp(operand=operand):
            text = _spelled(operand)
            return text[1:] if text.startswith("!") else {"0": "1", "1": "0"}.get(text, f"!{text}")
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.BinOp(op=sign):
            terms: list[str] = []
            left: ast.expr = node
            while isinstance(left, ast.BinOp) and type(left.op) is type(sign):
                terms.append(_spelled(left.right))
                left = left.left
            terms.append(_spelled(left))
            if terms == ["1", "1"] and isinstance(sign, ast.BitXor):  # how `python_expression` writes the constant 0
                return "0"
            text = {ast.BitAnd: " & ", ast.BitXor: " ^ ", ast.BitOr: " | "}[type(sign)].join(reversed(terms))
            return text if outermost else f"({text})"
    raise ValueError(f"cannot spell {ast.dump(node)}")  # nothing else is in such an expression


def compile_function(text: str) -> tuple[Evaluate, tuple[str, ...]]:
    """A callable `f(values)` over a mapping pin -> bit mask (with an entry `1`: all ones), and the pins.

    Raises
    ------
    ValueError
        When the text is no Boolean function.
    """
    expression, pins = python_expression(text)
    return eval(f"lambda v: {expression}"), pins  # the expression is built from tokens above only


def truth_table(text: str, pins: Sequence[str]) -> int:
    """Truth table over `pins`; bit i is the value when pin k has bit k of i.

    Raises
    ------
    ValueError
        When the text is no Boolean function, or names a pin that is not in `pins`.
    """
    function, named = compile_function(text)
    unknown = [name for name in named if name not in pins]
    if unknown:
        raise ValueError(f"function {text!r}: got {', '.join(unknown)}; expected the pins {', '.join(pins)}")
    size = 1 << len(pins)
    ones = (1 << size) - 1
    values = {"1": ones}
    for k, name in enumerate(pins):
        values[name] = sum(1 << i for i in range(size) if i >> k & 1)
    return int(function(values)) & ones


def _or(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    return _several(tokens, at, pins, depth, _and, "|")


def _and(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    return _several(tokens, at, pins, depth, _xor, "&")


def _xor(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    return _several(tokens, at, pins, depth, _not, "^")


def _several(
    tokens: list[str], at: int, pins: dict[str, None], depth: int, operand: _Operand, sign: str
) -> tuple[str, int]:
    """Operands with one operator between them, in one pair of parentheses: Python nests no more than 200."""
    found, at = operand(tokens, at, pins, depth)
    parts = [found]
    while at < len(tokens) and (tokens[at] not in "^+|)" if sign == "&" else tokens[at] in _SIGNS[sign]):
        found, at = operand(tokens, at + (tokens[at] in _SIGNS[sign]), pins, depth)
        parts.append(found)
    return (f"({sign.join(parts)})" if len(parts) > 1 else parts[0]), at


def _not(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    inverted = False
    while at < len(tokens) and tokens[at] == "!":
        inverted, at = not inverted, at + 1
    if at >= len(tokens) or depth > _DEEPEST:
        raise ValueError(f"the function ends too early, or is nested more than {_DEEPEST} deep")
    token = tokens[at]
    if token == "(":
        value, at = _or(tokens, at + 1, pins, depth + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise ValueError("a parenthesis is not closed")
    elif token in ("0", "1"):
        value = "v['1']" if token == "1" else "(v['1']^v['1'])"
    elif token in "'^*&+|)":
        raise ValueError(f"{token!r} is not expected")
    else:
        value = f"v[{token!r}]"
        pins[token] = None
    at += 1
    while at < len(tokens) and tokens[at] == "'":
        inverted, at = not inverted, at + 1
    return (f"(~{value})" if inverted else value), at
