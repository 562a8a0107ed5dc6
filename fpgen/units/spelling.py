"""A unit's identifier, its hash and its plain values: what files, caches and tables know it by."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
from typing import TYPE_CHECKING, Any

from .architecture import Adder, Multiplier

if TYPE_CHECKING:
    from .base import Unit


def identifier(unit: Unit) -> str:
    """The Verilog module name: operation, operands, output, options, joined by underscores."""
    left = ["plus" if word == "+" else word.replace("=", "") if word.split("=")[0] in unit.size_names else word
            for word in unit._left]
    words = [*left, "to", *unit._right]
    words += [f"{name}{'' if value == 'on' else '_' + value}" for name, value in unit._options()]
    spelled = re.sub(r"-(?=\d)", "n", "_".join(words))
    return re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_]", "_", spelled)).strip("_")


def hash_of(unit: Unit) -> str:
    """SHA-256 over all parameters by value (a format's name does not count).

    The architecture, and fields marked ``hashed_if_given``, count where they are not the default, so that adding them
    changed no unit's hash.
    """
    parts = [unit.operation]
    for spec in dataclasses.fields(unit):
        value = getattr(unit, spec.name)
        if isinstance(value, Multiplier | Adder) and value is spec.default:
            continue
        if spec.metadata.get("hashed_if_given") and value is None:
            continue
        parts.append(f"{spec.name}={getattr(value, 'spelling', value)}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def plain_values(unit: Unit) -> dict[str, Any]:
    """Strings, numbers and booleans for TOML and JSON."""
    plain: dict[str, Any] = {"operation": unit.operation}
    for spec in dataclasses.fields(unit):
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
