"""A unit's identifier, its hash and its plain values: what files, caches and tables know it by."""

from __future__ import annotations

import enum
import hashlib
import re
from typing import TYPE_CHECKING, Any

from fpgen.base.errors import UsageError
from fpgen.base.reserved import RESERVED

from .architecture import Adder, Multiplier

if TYPE_CHECKING:
    from .base import Unit


#: Characters of a module name. Verilator keeps no more than 127 of an identifier, and `_sva` comes after this one;
#: files are named after it, with up to 55 bytes more (`_systemc.cpp`, prefixes of temporary files, the mark of a file
#: that was set aside), and stay under 200 bytes.
LONGEST_NAME = 120
LONGEST_PREFIX = 40
_DIGEST = 16

#: Modules that simulation and proof add to a unit.
_OURS = re.compile(r"fpgen_\w*|gold|gate|miter")

#: Parameters that name a unit; nothing else depends on them.
NAMES = ("module_name", "prefix")


def identifier(unit: Unit) -> str:
    """The Verilog module name: the prefix, and `module_name` where it is given, else what `spelled_name` says.

    A name of more than `LONGEST_NAME` characters ends in the first hexadecimal digits of its own SHA-256 instead: the
    same unit always has the same name, and units that differ beyond the end have different ones.
    """
    prefix = unit.prefix or ""
    if unit.module_name is not None:
        return prefix + unit.module_name
    name = prefix + spelled_name(unit)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - _DIGEST - 1].rstrip('_')}_{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"


def check_names(module_name: object, prefix: object) -> None:
    """Reject what no module can be called.

    Raises
    ------
    UsageError
    """
    if prefix is not None:
        _check_name("prefix", prefix, LONGEST_PREFIX)
        if str(prefix).startswith("fpgen_"):
            raise UsageError(f"prefix: got {prefix!r}, which fpgen uses itself; expected another beginning")
    if module_name is None:
        return
    _check_name("module_name", module_name, LONGEST_NAME)
    whole = f"{prefix or ''}{module_name}"
    if len(whole) > LONGEST_NAME:
        raise UsageError(
            f"prefix and module_name: got {len(whole)} characters; expected at most {LONGEST_NAME} together"
        )
    if whole.lower() in RESERVED or _OURS.fullmatch(whole):
        reason = "a reserved word" if whole.lower() in RESERVED else "a name that fpgen uses itself"
        raise UsageError(f"module_name: got {whole!r}, {reason}; expected {_expected(LONGEST_NAME)}")


def _check_name(what: str, name: object, longest: int) -> None:
    if not isinstance(name, str) or not re.fullmatch(rf"[A-Za-z]\w{{0,{longest - 1}}}", name, re.ASCII):
        shown = repr(name) if len(repr(name)) <= 80 else f"{len(str(name))} characters"
        raise UsageError(f"{what}: got {shown}; expected {_expected(longest)}")


def _expected(longest: int) -> str:
    return f"a Verilog identifier of at most {longest} letters, digits and underscores, a letter first"


def spelled_name(unit: Unit) -> str:
    """Operation, operands, output, options, joined by underscores."""
    left = [
        "plus" if word == "+" else word.replace("=", "") if word.split("=")[0] in unit.size_names else word
        for word in unit._left
    ]
    words = [*left, *(["to", *unit._right] if unit._right else [])]
    words += [f"{name}{'' if value == 'on' else '_' + value}" for name, value in unit._options() if name not in NAMES]
    spelled = re.sub(r"-(?=\d)", "n", "_".join(words))
    return re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_]", "_", spelled)).strip("_")


def hash_of(unit: Unit) -> str:
    """SHA-256 over all parameters by value (the name of a format, or of the module, does not count).

    The architecture, and options that came later, count where they are not the default, so that adding them changed
    no unit's hash.
    """
    parts = [unit.operation]
    for spec in unit.parameters():
        value = getattr(unit, spec.name)
        when_set = isinstance(value, Multiplier | Adder) or spec.metadata.get("hashed") == "when set"
        if spec.name in NAMES or (when_set and value is spec.default):
            continue
        parts.append(f"{spec.name}={getattr(value, 'spelling', value)}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def plain_values(unit: Unit) -> dict[str, Any]:
    """Strings, numbers and booleans for TOML and JSON."""
    plain: dict[str, Any] = {"operation": unit.operation}
    for spec in unit.parameters():
        value = getattr(unit, spec.name)
        if value is None or (spec.name == "out" and unit.out_name != "out"):
            continue
        if spec.name == "multiplier" and not unit.multiplies:
            continue
        if isinstance(value, enum.Enum):
            value = value.value
        elif not isinstance(value, bool | int | float):
            value = str(value)
        plain[spec.name] = value
    return plain
