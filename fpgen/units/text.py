"""A unit as one line of text, and as plain values for TOML and JSON.

::

    unit   = operation operand... { size "=" value } [ "+" addend ] "->" out { word }
           | operation operand... { size "=" value } { word }             (results that are not numbers)
    word   = rounding | overflow | switch | option "=" value

A rounding mode (or ``port``) and an overflow policy may stand as bare words, and a yes/no option
as its name alone; everything else is ``option=value``. The order of the words is free. Spaces stand
between words only, so a format with options is one word: ``e3m2:bias=2,inf=none,nan=none``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from fpgen.base.errors import LONGEST_NUMBER, UsageError, short_text

from .base import Unit
from .identity import NAMES
from .operations import OPERATIONS, card_named
from .options import Overflow, Rounding

_SWITCH = {"on": True, "off": False, "yes": True, "no": False, "true": True, "false": False}
_BARE = {
    **{mode.value: "rounding" for mode in Rounding},
    **{policy.value: "overflow" for policy in Overflow},
    **dict.fromkeys(Overflow.other_names(), "overflow"),
}


def parse_unit(text: str) -> Unit:
    """The unit that one line of text describes, such as ``fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3``.

    Parameters
    ----------
    text : str

    Returns
    -------
    Unit
        Whose `text` reads back to an equal unit.

    Raises
    ------
    UsageError
        For anything unknown, missing, repeated or contradictory; the message says what is expected.
    """
    if not isinstance(text, str):
        raise UsageError(f"unit: got {text!r}; expected a line such as 'multiply fp16 fp16 -> fp16 rne'")
    left, arrow, right = text.strip().partition("->")
    words, tail = left.split(), right.split()
    if not words:
        raise UsageError(f"unit {text!r}: got no operation; expected one of {', '.join(OPERATIONS)}")
    cls = card_named(words[0]).unit
    if not cls.out_name:
        if arrow:
            raise UsageError(f"unit {text!r}: got an arrow; expected {usage(cls)}")
        count = 1 + len(cls.operand_names) + sum(word.partition("=")[0] in cls.size_names for word in words)
        words, tail = words[:count], words[count:]
    elif not arrow or not tail:
        raise UsageError(f"unit {text!r}: got no '-> {cls.out_name.upper()}'; expected {usage(cls)}")
    kinds = _kinds(cls)
    given = _left(text, words[1:], cls, kinds)
    if cls.out_name:
        given[cls.out_name], tail = tail[0], tail[1:]
    for word in tail:
        option, value = _word(word, cls, kinds)
        if option in given:
            raise UsageError(f"unit {text!r}: got {option} twice; expected it once")
        given[option] = value
    _check_complete(cls, given)
    return cls(**given)


def usage(cls: type[Unit], *, options: bool = True) -> str:
    """The line of an operation with its operands in capitals."""
    words = [cls.operation, *(name.upper() for name in cls.operand_names)]
    words += [f"{name}={name.upper()}" for name in cls.size_names]
    arrow = ["->", cls.out_name.upper()] if cls.out_name else []
    addend = ["[+ C]"] if cls.takes_addend else []
    return " ".join([*words, *addend, *arrow, *(["[options]"] if options else [])])


def _left(text: str, words: list[str], cls: type[Unit], kinds: dict[str, str]) -> dict[str, Any]:
    """What stands before the arrow: operands, sizes, addend."""
    given: dict[str, Any] = {}
    if "+" in words:
        at = words.index("+")
        if not cls.takes_addend or len(words) != at + 2:
            raise UsageError(f"unit {text!r}: got {' '.join(words[at:])}; expected {usage(cls)}")
        given["c"], words = words[at + 1], words[:at]
    operands = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in cls.size_names:
            operands.append(word)
        elif name in given:
            raise UsageError(f"unit {text!r}: got {name} twice; expected it once")
        else:
            given[name] = _read(name, value, kinds[name])
    stray = [word for word in operands if re.match(r"\w+=", word)]
    if stray:
        raise UsageError(f"unit {text!r}: got {stray[0]} before '->'; expected {usage(cls)}")
    if len(operands) != len(cls.operand_names):
        raise UsageError(f"unit {text!r}: got {len(operands)} operands; expected {usage(cls)}")
    return given | dict(zip(cls.operand_names, operands, strict=True))


def unit_from_dict(plain: Mapping[str, Any]) -> Unit:
    """The unit that a table of plain values describes; the inverse of `Unit.to_dict`.

    Parameters
    ----------
    plain : mapping
        ``operation``, the operands, ``out``, and any option; or ``unit`` alone, with the text form.

    Raises
    ------
    UsageError
        Anything unknown, missing, of the wrong type or contradictory.
    """
    if not isinstance(plain, Mapping):
        raise UsageError(f"unit: got {plain!r}; expected a table with operation, operands and out")
    if set(plain) == {"unit"}:
        return parse_unit(plain["unit"])
    if "operation" not in plain:
        raise UsageError(f"unit {dict(plain)!r}: got no operation; expected one of {', '.join(OPERATIONS)}")
    cls = card_named(plain["operation"]).unit
    kinds = _kinds(cls)
    given = {}
    for option, value in plain.items():
        if option == "operation":
            continue
        _check_option(option, cls, kinds)
        given[option] = _typed(option, value, kinds[option])
    _check_complete(cls, given)
    return cls(**given)


def _check_complete(cls: type[Unit], given: Mapping[str, Any]) -> None:
    needed = (*cls.operand_names, *cls.size_names, *([cls.out_name] if cls.out_name else []))
    missing = [name for name in needed if name not in given]
    if missing:
        raise UsageError(f"{cls.operation}: got no {', '.join(missing)}; expected {', '.join(needed)}")


def _kinds(cls: type[Unit]) -> dict[str, str]:
    """Option name to the kind of value it takes: switch, whole, number, word (of any case), or name."""
    kinds = {}
    for spec in cls.parameters():
        if spec.name == "out" and cls.out_name != "out":
            continue  # follows from other parameters
        types = set(re.findall(r"\w+", str(spec.type)))
        kinds[spec.name] = (
            "name"
            if spec.name in NAMES
            else "switch"
            if "bool" in types
            else "whole"
            if "int" in types
            else "number"
            if "float" in types
            else "word"
        )
    return kinds


def _word(word: str, cls: type[Unit], kinds: dict[str, str]) -> tuple[str, Any]:
    """One word after the output format, as (option, value)."""
    option, equals, value = word.partition("=")
    if not equals:
        if word.lower() in _BARE:
            return _BARE[word.lower()], word.lower()
        if kinds.get(word) == "switch":
            return word, True
        _check_option(option, cls, kinds, f"{', '.join(_BARE)}, or one of these with =value: ")
        raise UsageError(f"{option}: got no value; expected {option}=...")
    _check_option(option, cls, kinds)
    return option, _read(option, value, kinds[option])


def _check_option(option: str, cls: type[Unit], kinds: dict[str, str], also: str = "") -> None:
    if option in kinds:
        return
    options = [name for name in kinds if name not in (*cls.operand_names, cls.out_name)]
    close = difflib.get_close_matches(str(option), [*options, *(_BARE if also else ())], n=1)
    suggestion = f" (did you mean {close[0]}?)" if close else ""
    raise UsageError(f"{cls.operation}: option: got {option}{suggestion}; expected one of {also}{', '.join(options)}")


def _read(option: str, value: str, kind: str) -> Any:
    """The text of a value, as a value of `kind`."""
    if kind == "switch":
        if value.lower() not in _SWITCH:
            raise UsageError(f"{option}: got {value or repr(value)}; expected on or off")
        return _SWITCH[value.lower()]
    if kind == "whole":
        if not re.fullmatch(r"[+-]?\d+", value):
            raise UsageError(f"{option}: got {short_text(value, quoted=False) or repr(value)}; expected a whole number")
        if len(value) > LONGEST_NUMBER:  # the option's own check says its range, of any shorter one
            raise UsageError(
                f"{option}: got a number of {len(value.lstrip('+-'))} digits; expected a whole number of "
                f"at most {LONGEST_NUMBER}"
            )
        return int(value)
    if kind == "number":
        try:
            return float(value)
        except ValueError:
            raise UsageError(f"{option}: got {value or repr(value)}; expected a number") from None
    return value if kind == "name" else value.lower()


def _typed(option: str, value: Any, kind: str) -> Any:
    """A value from TOML or JSON, checked to be of `kind`."""
    if isinstance(value, str) and kind not in ("word", "name"):
        return _read(option, value, kind)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    right = {
        "switch": isinstance(value, bool),
        "whole": numeric and isinstance(value, int),
        "number": numeric,
        "word": isinstance(value, str),
        "name": isinstance(value, str),
    }[kind]
    if not right:
        expected = {
            "switch": "true or false",
            "whole": "a whole number",
            "number": "a number",
            "word": "a word",
            "name": "a word",
        }
        raise UsageError(f"{option}: got {value!r}; expected {expected[kind]}")
    return value
