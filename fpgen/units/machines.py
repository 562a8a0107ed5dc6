"""Names by which accumulators of machines are looked up: presets, the products that have them, and ``like:``.

A product's name stands for the presets of its instructions: the first that has the operands is taken, and the unit
then carries that preset's name. ``like:NAME`` is for operands that the machine does not have: it takes the case whose
formats are nearest.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from types import MappingProxyType

from fpgen.base.errors import UsageError
from fpgen.formats import Format

from .presets import PRESETS, Case, find_case, fits

LIKE = "like:"

_BLACKWELL = ("blackwell", "blackwell-nvf4", "blackwell-mx")  # e2m1 with e8m0: kind::mxf4, which is made for it
#: Presets by the products that have them.
PRODUCTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("t4",): ("turing",),
    ("a2", "a30", "a40"): ("a100",),
    ("l4", "l40", "l40s"): ("ada", "ada-fp8"),
    ("h100", "h200", "gh200"): ("hopper", "hopper-fp8"),
    ("b200", "gb200"): _BLACKWELL,
    ("mi100",): ("cdna1",),
    ("mi210", "mi250", "mi250x"): ("cdna2",),
    ("mi300x", "mi300a"): ("cdna3-fp16", "cdna3-xf32", "cdna3-fp8"),
}

#: Presets of a product, by its name.
ALIASES = MappingProxyType({name: presets for names, presets in PRODUCTS.items() for name in names})


def aliases_of(preset: str) -> list[str]:
    """The products that a preset belongs to."""
    return [name for name, presets in ALIASES.items() if preset in presets]


def is_machine(name: str) -> bool:
    """Whether `name` is looked up here."""
    return name in PRESETS or name in ALIASES or name.startswith(LIKE)


def presets_of(name: str) -> tuple[str, ...]:
    """The presets that a name stands for.

    Raises
    ------
    UsageError
    """
    if name in PRESETS:
        return (name,)
    if name in ALIASES:
        return ALIASES[name]
    close = difflib.get_close_matches(name, [*PRESETS, *ALIASES], n=2)
    suggestion = f" (did you mean {', '.join(close)}?)" if close else ""
    raise UsageError(f"accumulator: got {name}{suggestion}; expected one of {', '.join([*PRESETS, *ALIASES])}")


def machine_case(name: str, a: Format, b: Format, out: Format, scales: tuple[Format, ...] = ()) -> Case:
    """The case of a machine for these operands, its accumulation named.

    Parameters
    ----------
    name : str
        Of a preset or of a product, or either after ``like:``.
    a, b, out : Format
        Element formats, and the output.
    scales : tuple of Format
        Of the block scales; empty without.

    Raises
    ------
    UsageError
        When the machine has no such operation, saying which it has.
    """
    liking = name.startswith(LIKE)
    presets = presets_of(name.removeprefix(LIKE))
    for preset in presets:
        if any(fits(case, a, b, out, scales) for case in PRESETS[preset].cases):
            return find_case(preset, a, b, out, scales)
    if not liking:
        if len(presets) == 1:
            return find_case(presets[0], a, b, out, scales)  # says what that one has
        given = f"{a} x {b}{' with scales ' + ' '.join(map(str, scales)) if scales else ''} -> {out}"
        raise UsageError(
            f"accumulate={name}: got {given}; expected the formats of its presets {', '.join(presets)} (fpgen "
            f"accumulators {name}), or accumulate={LIKE}{name} for the nearest ones"
        )
    return nearest_case(name, a, b, out, scales)


def nearest_case(name: str, a: Format, b: Format, out: Format, scales: tuple[Format, ...] = ()) -> Case:
    """The case of the machine that is named after ``like:`` whose formats are nearest; as `machine_case`."""
    presets = presets_of(name.removeprefix(LIKE))
    for fmt in (a, b):
        if fmt.fixed:
            raise UsageError(
                f"accumulate={name}: got {fmt}, which is fixed point; expected floating-point operands "
                "(machines sum integers exactly: accumulate=exact)"
            )
    found = [(_distance(case, a, b, out, scales), preset, case) for preset in presets for case in PRESETS[preset].cases]
    _, preset, case = min(found, key=lambda item: item[0])
    return replace(case, accumulation=replace(case.accumulation, name=LIKE + preset))


def _distance(case: Case, a: Format, b: Format, out: Format, scales: tuple[Format, ...]) -> tuple[int, ...]:
    """Scaled or not; operands too wide for it; the operands' widths, then their precisions; the output's, likewise."""
    widths, precisions = zip(
        *(
            min((abs(fmt.bits - each.bits), abs(fmt.precision - each.precision)) for each in case.operand_formats)
            for fmt in (a, b)
        ),
        strict=True,
    )
    result = min((abs(out.bits - each.bits), abs(out.precision - each.precision)) for each in case.output_formats)
    narrow = sum(max(each.bits for each in case.operand_formats) < fmt.bits for fmt in (a, b))
    return bool(scales) != bool(case.scales), narrow, sum(widths), sum(precisions), *result
