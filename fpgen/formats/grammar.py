"""Text to format: names, aliases, and the grammar that names every other format.

::

    format  = name | head [":" option {"," option}]
    head    = name | ["u"|"s"] "e" E "m" M | ["u"] "int" N | "binary" K "p" P ("s"|"u") ("e"|"f")
    option  = "bias="N | "inf="none|ieee|top | "nan="none|ieee|allones|negzero
            | "subnormals="yes|no | "zero="yes|no            (floating point)
            | "scale="N | "symmetric="yes|no                 (fixed point)

A head that is a name (or an alias) starts from that format; any other ``eEmM``
starts from the IEEE bias and specials (no specials when M is 0). Options
override. ``u`` is unsigned; ``s`` says "signed" and is needed only where the
plain spelling is the name of an unsigned format (``e8m0``). ``binaryKpP..`` is
P3109's own naming.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fpgen.base.errors import LONGEST_NUMBER, UsageError

from .catalogue import ALIASES, AMBIGUOUS, CATALOGUE, NOT_A_FORMAT, NOT_BY_THE_RULE, fixed, floating, p3109
from .code_classes import LARGEST_BITS, Infinity, NaN
from .descriptor import Format

_WIDTH = rf"(\d{{1,{LONGEST_NUMBER}}})"
_FLOATING = re.compile(rf"([us]?)e{_WIDTH}m{_WIDTH}")
_FIXED = re.compile(rf"(u?)int{_WIDTH}")
_P3109 = re.compile(rf"binary{_WIDTH}p{_WIDTH}([su])([ef])")
_INTEGER = re.compile(rf"[+-]?\d{{1,{LONGEST_NUMBER}}}")

_HOW = (
    "expected a name (fpgen formats lists them), eEmM, ueEmM, intN, uintN or binaryKpPse, "
    "with options as in e3m2:bias=2,inf=none,nan=none"
)


def parse(text: str) -> Format:
    """The format that `text` names.

    Parameters
    ----------
    text : str
        A name of the catalogue, an alias, or the grammar of this module; case does not matter.

    Returns
    -------
    Format
        Named as the catalogue names it where it is there, else by its shortest spelling.

    Raises
    ------
    UsageError
        Unknown name (with close matches), unknown or misplaced option, or parameters that contradict.
    """
    if not isinstance(text, str):
        raise UsageError(f"format: got {text!r}; {_HOW}")
    return _parse(text.strip().lower())


@lru_cache(maxsize=4096)
def _parse(text: str) -> Format:
    head, colon, tail = text.partition(":")
    base = _head(head.strip(), text)
    if base.name in NOT_BY_THE_RULE and not re.search(r"\b(inf|nan)\s*=", tail):
        other, spelling = NOT_BY_THE_RULE[base.name]
        raise UsageError(
            f"format {text}: got {base.name}, elsewhere the name of {other}; expected {spelling} for "
            f"that, or {base.name}:inf=ieee,nan=ieee for IEEE specials"
        )
    if not colon:
        return base
    options = _options(tail, base, text)
    changed = dataclasses.replace(base, **options, name=text)  # this name only appears in errors
    return dataclasses.replace(changed, name=canonical_name(changed))


def as_format(given: Format | str) -> Format:
    """The format that `given` is or names, under its canonical name: equal formats have one name in units.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, Format):
        return parse(given)
    name = canonical_name(given)
    return given if given.name == name else dataclasses.replace(given, name=name)


@lru_cache(maxsize=4096)
def canonical_name(fmt: Format) -> str:
    """The catalogue's name for a format equal to `fmt`, else its shortest spelling that `parse` reads."""
    for entry in CATALOGUE.values():
        if entry.format == fmt:
            return entry.name
    spelling = fmt.spelling
    if not fmt.fixed:
        extended = fmt.infinity is Infinity.TOP
        short = [
            spelling.partition(":")[0],
            f"binary{fmt.bits}p{fmt.precision}{'s' if fmt.signed else 'u'}{'e' if extended else 'f'}",
        ]
        for name in short:
            try:
                found = _parse(name)
                if found == fmt:
                    return found.name
            except UsageError:
                continue
    return spelling


def _head(head: str, text: str) -> Format:
    """The format before the options."""
    if head in CATALOGUE:
        return CATALOGUE[head].format
    if head in ALIASES:
        return CATALOGUE[ALIASES[head]].format
    if head in AMBIGUOUS:
        raise UsageError(f"format {text}: got {head}, which means several formats; expected {AMBIGUOUS[head]}")
    if head in NOT_A_FORMAT:
        raise UsageError(
            f"format {text}: got {head}; {NOT_A_FORMAT[head]} and no fields of fixed widths; expected a "
            "format of such fields"
        )
    if match := _FLOATING.fullmatch(head):
        sign, exponent_bits, trailing_bits = match[1], int(match[2]), int(match[3])
        if not 1 <= exponent_bits <= 20:
            raise UsageError(f"format {text}: got {exponent_bits} exponent bits; expected 1 to 20")
        plain = f"e{exponent_bits}m{trailing_bits}"
        name = sign + plain if sign == "u" or plain in CATALOGUE else plain
        return _named(floating(exponent_bits, trailing_bits, signed=sign != "u", name=name))
    if match := _FIXED.fullmatch(head):
        return _named(fixed(int(match[2]), signed=not match[1], name=f"{match[1]}int{int(match[2])}"))
    if match := _P3109.fullmatch(head):
        bits = int(match[1])
        if not 2 <= bits <= LARGEST_BITS:
            raise UsageError(f"format {text}: got {bits} bits; expected 2 to {LARGEST_BITS}")
        return p3109(bits, int(match[2]), match[3] == "s", match[4] == "e")
    from .blocks import BLOCK_ALIASES, BLOCKS, is_block

    if is_block(text):
        raise UsageError(
            f"format: got {text}, a block format (blockdot, tensorcore, quantize and dequantize take these); {_HOW}"
        )
    close = difflib.get_close_matches(head, [*CATALOGUE, *ALIASES, *BLOCKS, *BLOCK_ALIASES], n=3, cutoff=0.6)
    suggestion = f" (did you mean {', '.join(close)}?)" if close else ""
    raise UsageError(f"format: got {text or repr(text)}{suggestion}; {_HOW}")


def _named(fmt: Format) -> Format:
    """The catalogue's own entry where it has an equal format (e5m10 is fp16), else `fmt`."""
    for entry in CATALOGUE.values():
        if entry.format == fmt:
            return entry.format
    return fmt


def _options(tail: str, base: Format, text: str) -> dict[str, Any]:
    """The options after the colon, as fields of `Format`."""
    readers = _FIXED_OPTIONS if base.fixed else _FLOATING_OPTIONS
    found: dict[str, Any] = {}
    for word in tail.split(","):
        key, equals, value = (part.strip() for part in word.partition("="))
        if not equals or key not in readers:
            kind = "fixed point" if base.fixed else "floating point"
            raise UsageError(
                f"format {text}: option: got {word.strip() or repr(word)}; expected "
                f"an option of {kind}: {', '.join(f'{name}={hint}' for name, (_, hint, _) in readers.items())}"
            )
        field, hint, read = readers[key]
        if field in found:
            raise UsageError(f"format {text}: got {key} twice; expected it once")
        try:
            found[field] = read(value)
        except (KeyError, ValueError):
            raise UsageError(f"format {text}: {key}: got {value or repr(value)}; expected {hint}") from None
    return found


def _integer(value: str) -> int:
    if not _INTEGER.fullmatch(value):
        raise ValueError(value)
    return int(value)


def _yes_no(value: str) -> bool:
    return {"yes": True, "no": False}[value]


#: option -> (field of Format, what is expected, reader)
_FLOATING_OPTIONS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "bias": ("bias", f"a whole number of at most {LONGEST_NUMBER} digits", _integer),
    "inf": ("infinity", "none|ieee|top", Infinity),
    "nan": ("nan", "none|ieee|allones|negzero", NaN),
    "subnormals": ("subnormals", "yes|no", _yes_no),
    "zero": ("zero", "yes|no", _yes_no),
}
_FIXED_OPTIONS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "scale": ("scale", f"a whole number of at most {LONGEST_NUMBER} digits", _integer),
    "symmetric": ("symmetric", "yes|no", _yes_no),
}
