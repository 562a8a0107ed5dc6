"""Boolean functions as Liberty writes them: `!(A1 & A2)`, `(A B) + C'`, `A ^ B`.

Operators from the tightest: `'` after or `!` before (not), `^`, `*` `&` or a space (and), `+` `|` (or).
Source: Liberty Reference Manual, "function" attribute.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w.\[\]]*|[01])|([!'^*&+|()]))")

Evaluate = Callable[[Mapping[str, Any]], Any]


@lru_cache(maxsize=4096)
def python_expression(text: str) -> tuple[str, tuple[str, ...]]:
    """The function as a Python expression over `~ & | ^`, and the pins it names.

    The expression works on integers and numpy arrays of bit masks; `pin(NAME)` stands as `v['NAME']`, and the
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
    pins: dict[str, None] = {}
    expression, rest = _or(tokens, 0, pins, 0)
    if rest != len(tokens):
        raise ValueError(f"cannot read the function {text!r}: {tokens[rest]!r} is not expected")
    return expression, tuple(pins)


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
        raise ValueError(f"the function {text!r} names {', '.join(unknown)}; the pins are {', '.join(pins)}")
    size = 1 << len(pins)
    ones = (1 << size) - 1
    values = {"1": ones}
    for k, name in enumerate(pins):
        values[name] = sum(1 << i for i in range(size) if i >> k & 1)
    return int(function(values)) & ones


def _or(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    left, at = _and(tokens, at, pins, depth)
    while at < len(tokens) and tokens[at] in "+|":
        right, at = _and(tokens, at + 1, pins, depth)
        left = f"({left}|{right})"
    return left, at


def _and(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    left, at = _xor(tokens, at, pins, depth)
    while at < len(tokens) and tokens[at] not in "+|)":
        right, at = _xor(tokens, at + (tokens[at] in "*&"), pins, depth)
        left = f"({left}&{right})"
    return left, at


def _xor(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    left, at = _not(tokens, at, pins, depth)
    while at < len(tokens) and tokens[at] == "^":
        right, at = _not(tokens, at + 1, pins, depth)
        left = f"({left}^{right})"
    return left, at


def _not(tokens: list[str], at: int, pins: dict[str, None], depth: int) -> tuple[str, int]:
    if at >= len(tokens) or depth > 60:
        raise ValueError("the function ends too early, or is nested more than 60 deep")
    token = tokens[at]
    if token == "!":
        inner, at = _not(tokens, at + 1, pins, depth + 1)
        return f"(~{inner})", at
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
        value, at = f"(~{value})", at + 1
    return value, at
