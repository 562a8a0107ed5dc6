"""The small language of sweep files: `P - 1`, `E + P <= 32 and P != 5`, `accumulate == 'exact'`.

Text is read with Python's own parser and walked here; nothing of it is ever executed. There are numbers, texts,
yes and no, the parameters' names, arithmetic, comparisons, `and or not`, `x if c else y`, lists to look into
with `in`, and a few functions. Numbers stay below 10**15, so an expression can neither hang nor fill the memory.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from fpgen.base.errors import UsageError

Value = bool | int | float | str

LONGEST = 300
LARGEST = 10**15

_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISON: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "max": max,
    "min": min,
    "round": round,
}
ALLOWED = (
    f"numbers, 'texts', parameters, + - * / // % **, comparisons, in [...], and, or, not, x if c else y, "
    f"{' '.join(FUNCTIONS)}"
)


@dataclass(frozen=True)
class Expression:
    """One expression over parameters.

    Attributes
    ----------
    text : str
    names : frozenset of str
        The parameters it mentions.
    """

    text: str
    names: frozenset[str]

    def value(self, parameters: Mapping[str, Value]) -> Any:
        """What it comes to.

        Raises
        ------
        UsageError
            When a step has no value: a division by zero, a text where a number is needed, a number beyond 10**15.
        """
        try:
            return _walk(_parse(self.text), parameters)
        except (ArithmeticError, TypeError, ValueError) as error:
            given = ", ".join(f"{name}={parameters[name]}" for name in sorted(self.names) if name in parameters)
            raise UsageError(f"{self.text!r} has no value{' at ' + given if given else ''}: {error}") from None


def read(text: Any) -> Expression:
    """The expression that `text` spells.

    Raises
    ------
    UsageError
        When it spells none.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"expression: got {text!r}; expected {ALLOWED}")
    if len(text) > LONGEST:
        raise UsageError(f"expression '{text[:40]}...': got {len(text)} characters; expected up to {LONGEST}")
    names: set[str] = set()
    _check(_parse(text), text, names)
    return Expression(text.strip(), frozenset(names))


_parsed: dict[str, ast.expr] = {}


def _parse(text: str) -> ast.expr:
    if text not in _parsed:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `1 is 1` and the like are rejected below
                _parsed[text] = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise UsageError(
                f"expression {text!r}: {getattr(error, 'msg', None) or 'not readable'}; expected {ALLOWED}"
            ) from None
    return _parsed[text]


def _check(node: ast.expr, text: str, names: set[str]) -> None:
    """Reject whatever `_walk` does not know."""

    def reject(what: str) -> NoReturn:
        raise UsageError(f"expression {text!r}: got {what}; expected {ALLOWED}")

    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str):
            reject(f"{node.value!r}")
        if isinstance(node.value, int | float) and not -LARGEST <= node.value <= LARGEST:
            reject("a number beyond 10**15")
    elif isinstance(node, ast.Name):
        names.add(node.id)
    elif isinstance(node, ast.BinOp):
        if type(node.op) not in _ARITHMETIC:
            reject(f"the operator {type(node.op).__name__}")
        _check(node.left, text, names)
        _check(node.right, text, names)
    elif isinstance(node, ast.UnaryOp):
        if not isinstance(node.op, ast.USub | ast.UAdd | ast.Not):
            reject(f"the operator {type(node.op).__name__}")
        _check(node.operand, text, names)
    elif isinstance(node, ast.BoolOp):
        for item in node.values:
            _check(item, text, names)
    elif isinstance(node, ast.IfExp):
        for item in (node.test, node.body, node.orelse):
            _check(item, text, names)
    elif isinstance(node, ast.Compare):
        _check(node.left, text, names)
        for kind, item in zip(node.ops, node.comparators, strict=True):
            if isinstance(kind, ast.In | ast.NotIn):
                if not isinstance(item, ast.List | ast.Tuple):
                    reject("'in' without a list such as [1, 2]")
                for element in item.elts:
                    _check(element, text, names)
            elif type(kind) in _COMPARISON:
                _check(item, text, names)
            else:
                reject(f"the comparison {type(kind).__name__}")
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords or not node.args:
            reject("a call of something else")
        for item in node.args:
            _check(item, text, names)
    else:
        reject(f"{type(node).__name__}")


def _number(value: Any) -> Any:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is not a number")
    return value


def _bounded(value: Any) -> Any:
    if isinstance(value, complex) or not -LARGEST <= value <= LARGEST:
        raise ValueError("a number beyond 10**15")
    return value


def _walk(node: ast.expr, given: Mapping[str, Value]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return given[node.id]
        case ast.BinOp():
            left, right = _number(_walk(node.left, given)), _number(_walk(node.right, given))
            if isinstance(node.op, ast.Pow) and abs(right) > 64:
                raise ValueError("a power above 64")
            return _bounded(_ARITHMETIC[type(node.op)](left, right))
        case ast.UnaryOp():
            value = _walk(node.operand, given)
            if isinstance(node.op, ast.Not):
                return not value
            return -_number(value) if isinstance(node.op, ast.USub) else +_number(value)
        case ast.BoolOp():
            every = isinstance(node.op, ast.And)
            value = every
            for item in node.values:
                value = _walk(item, given)
                if bool(value) is not every:
                    break
            return value
        case ast.IfExp():
            return _walk(node.body if _walk(node.test, given) else node.orelse, given)
        case ast.Compare():
            return _compare(node, given)
        case ast.Call(func=ast.Name(id=name)):
            return _bounded(FUNCTIONS[name](*(_number(_walk(item, given)) for item in node.args)))
    raise TypeError(f"{type(node).__name__} is not allowed")


def _compare(node: ast.Compare, given: Mapping[str, Value]) -> bool:
    left = _walk(node.left, given)
    for kind, item in zip(node.ops, node.comparators, strict=True):
        if isinstance(kind, ast.In | ast.NotIn):
            assert isinstance(item, ast.List | ast.Tuple)
            found = any(left == _walk(element, given) for element in item.elts)
            if found is isinstance(kind, ast.NotIn):
                return False
        else:
            right = _walk(item, given)
            if not _COMPARISON[type(kind)](left, right):
                return False
            left = right
    return True
