"""The steps of a model as C++: in one function, or, where they are many, in several that share a struct.

Compilers take more than twice as long for a function of twice the length: the dot product of 32 FP8 pairs as a Hopper
does it takes g++ -O1 15 s in one function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fpgen.verilog.line_breaks import wrapped

from .cpp_expression import value_type
from .cpp_ports import INDENT

#: More variables than this are spread over several functions, each of up to so many.
LONGEST_FUNCTION = 256
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Variable:
    """A value with a name, its width, the expression it is, statements that complete it, and its heading."""

    name: str
    width: int
    value: str
    more: Sequence[str] = ()
    section: str = ""

    @property
    def reads(self) -> set[str]:
        """The names in its text, and those of functions and members."""
        return _names((self.value, *self.more))


def function(head: str, variables: list[Variable], last: list[str], arguments: dict[str, str]) -> list[str]:
    """The function that works the variables out, in this order, and ends with the statements `last`.

    Parameters
    ----------
    head : str
        Result type and name.
    variables : list of Variable
    last : list of str
    arguments : dict of str to str
        Of the function: name to type.
    """
    if len(variables) <= LONGEST_FUNCTION:
        inside = [*_lines(variables, frozenset(), INDENT), "", *_ended(last, INDENT)]
        return [f"inline {head}({_declared(arguments)}) {{", *inside, "}"]
    return [*_struct(head.split()[0], variables, last, arguments), "", *_caller(head, variables, last, arguments)]


def _declared(arguments: dict[str, str]) -> str:
    return ", ".join(f"{kind} {name}" for name, kind in arguments.items())


def _groups(variables: list[Variable]) -> list[list[Variable]]:
    return [variables[start : start + LONGEST_FUNCTION] for start in range(0, len(variables), LONGEST_FUNCTION)]


def _struct(kind: str, variables: list[Variable], last: list[str], arguments: dict[str, str]) -> list[str]:
    """The steps as functions of a struct whose members are what several of them read."""
    groups = _groups(variables)
    made_in = {variable.name: number for number, group in enumerate(groups) for variable in group}
    read_last = _names(last)
    shared = read_last & made_in.keys()
    for number, group in enumerate(groups):
        shared |= {name for variable in group for name in variable.reads if made_in.get(name, number) != number}
    lines = [
        "// The steps in several functions, which compilers are faster with. Members are what several of them read."
    ]
    lines += ["struct steps {"]
    lines += [f"{INDENT}{value_type(v.width)} {v.name};" for v in variables if v.name in shared]
    for number, group in enumerate(groups, start=1):
        taken = _declared(_used(_reads(group), arguments))
        lines += ["", f"{INDENT}void work_out_{number}({taken}) {{", *_lines(group, shared, INDENT * 2), f"{INDENT}}}"]
    head = f"{kind} outcome({_declared(_used(read_last, arguments))}) const"
    return [*lines, "", f"{INDENT}{head} {{", *_ended(last, INDENT * 2), f"{INDENT}}}", "};"]


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(text)}


def _reads(group: list[Variable]) -> set[str]:
    return {name for variable in group for name in variable.reads}


def _used(names: set[str], arguments: dict[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in arguments.items() if name in names}


def _caller(head: str, variables: list[Variable], last: list[str], arguments: dict[str, str]) -> list[str]:
    calls = [
        f"{INDENT}all.work_out_{number}({', '.join(_used(_reads(group), arguments))});"
        for number, group in enumerate(_groups(variables), start=1)
    ]
    return [
        f"inline {head}({_declared(arguments)}) {{",
        f"{INDENT}steps all;",
        *calls,
        f"{INDENT}return all.outcome({', '.join(_used(_names(last), arguments))});",
        "}",
    ]


def _lines(variables: Iterable[Variable], shared: frozenset[str] | set[str], indent: str) -> list[str]:
    lines: list[str] = []
    section = ""
    for variable in variables:
        if variable.section != section:
            section = variable.section
            lines += ["", f"{indent}// ---- {section}"]
        kind = value_type(variable.width)
        declared = "" if variable.name in shared else f"{kind} " if variable.more else f"const {kind} "
        for text in (f"{declared}{variable.name} = {variable.value};", *variable.more):
            lines += wrapped(text, indent, indent + INDENT)
    return lines


def _ended(last: list[str], indent: str) -> list[str]:
    return [line for text in last for line in wrapped(text, indent, indent + INDENT)]
