"""What there is to say about a format, as plain rows and records: the list and the single description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fpgen.base import html

from .catalogue import CATALOGUE, Entry
from .code_classes import Class, NaN
from .descriptor import Format
from .grammar import as_format
from .values import fraction_text, json_number, json_value, value_text

#: Up to this width, the value of every code is listed.
LISTED_BITS = 8


@dataclass(frozen=True)
class Description:
    """A format, described.

    Parameters
    ----------
    format : Format
    rows : tuple of (str, str)
        Label and text, in reading order.
    codes : tuple of (int, str, str)
        Code, its bits split into fields (``0 1111 110``), its value; empty above `LISTED_BITS` bits.
    """

    format: Format
    rows: tuple[tuple[str, str], ...]
    codes: tuple[tuple[int, str, str], ...]

    def _repr_html_(self) -> str:
        codes = [{"code": f"0x{code:02x}", "bits": bits, "value": value} for code, bits, value in self.codes]
        listed = html.records(codes, ("code", "bits", "value"), most=len(codes)) if codes else ""
        return html.pairs(self.rows) + listed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the parameters, the ranges, special codes, the NaN delivered, values by code.

        Numbers are numbers where `json_number` can give them exactly, else text.
        """
        fmt = self.format
        return {
            **record(fmt),
            "spelling": fmt.spelling,
            "precision": fmt.precision,
            "subnormals": fmt.subnormals,
            "zero": fmt.zero,
            "special_codes": special_codes(fmt),
            "nan_delivered": f"0x{fmt.nan_code:0{-(-fmt.bits // 4)}x}" if fmt.has_nan else None,
            "values": [json_value(fmt, code) for code, _, _ in self.codes],
        }


def describe(given: Format | str) -> Description:
    """Everything about one format: bias, range, special codes and, up to 8 bits, the value of every code.

    Raises
    ------
    UsageError
        For a name that `parse` rejects.
    """
    fmt = as_format(given)
    codes = range(1 << fmt.bits) if fmt.bits <= LISTED_BITS else range(0)
    return Description(
        fmt,
        tuple(_rows(fmt)),
        tuple((code, field_text(fmt, code), value_text(fmt, code)) for code in codes),
    )


def catalogue_records() -> list[dict[str, Any]]:
    """One record for every named format, in catalogue order; the keys are the columns of `fpgen formats`."""
    return [record(entry.format) for entry in CATALOGUE.values()]


def record(fmt: Format) -> dict[str, Any]:
    """A format in one row: name, layout, range, specials, and who defines it."""
    entry = _entry(fmt)
    return {
        "name": fmt.name,
        "bits": fmt.bits,
        "layout": layout(fmt),
        "bias": None if fmt.fixed else fmt.bias,
        "max": json_number(fmt.max_finite),
        "min_normal": None if fmt.fixed else json_number(fmt.min_normal),
        "min_positive": json_number(fmt.min_positive),
        "inf": fmt.infinity.value,
        "nan": fmt.nan.value,
        "negative_zero": fmt.has_negative_zero,
        "standard": entry.standard if entry else "",
        "source": entry.source if entry else "",
        "note": entry.note if entry else "",
        "aliases": list(entry.aliases) if entry else [],
    }


def _entry(fmt: Format) -> Entry[Format] | None:
    """The catalogue's entry for a format equal to `fmt`."""
    return next((entry for entry in CATALOGUE.values() if entry.format == fmt), None)


def layout(fmt: Format) -> str:
    """The fields of a code, high to low: ``s1 e4 m3``, ``e8``, ``s1 i7``."""
    sign = "s1 " if fmt.signed else ""
    if fmt.fixed:
        return f"{sign}i{fmt.magnitude_bits}"
    return f"{sign}e{fmt.exponent_bits}" + (f" m{fmt.trailing_bits}" if fmt.trailing_bits else "")


def field_text(fmt: Format, code: int) -> str:
    """The bits of a code, a space between its fields."""
    bits = f"{code:0{fmt.bits}b}"
    widths = [1] * fmt.signed + ([fmt.magnitude_bits] if fmt.fixed else [fmt.exponent_bits, fmt.trailing_bits])
    fields, at = [], 0
    for width in widths:
        fields.append(bits[at : at + width])
        at += width
    return " ".join(field for field in fields if field)


def special_codes(fmt: Format) -> dict[str, list[str]]:
    """The codes of zeros, infinities and NaNs, as hexadecimal text; a run of codes is ``first-last``."""
    sign = fmt.sign_mask
    signs = [0, sign] if fmt.signed else [0]
    digits = -(-fmt.bits // 4)
    zeros = [code for code in signs if fmt.classify(code) is Class.ZERO and (code == 0 or fmt.has_negative_zero)]
    found = {
        "zero": [f"0x{code:0{digits}x}" for code in zeros],
        "infinity": [f"0x{code | fmt.infinity_code:0{digits}x}" for code in signs] if fmt.has_infinity else [],
        "nan": [],
    }
    if fmt.nan is NaN.NEGATIVE_ZERO:
        found["nan"] = [f"0x{sign:0{digits}x}"]
    elif fmt.nan is NaN.ALL_ONES:
        found["nan"] = [f"0x{code | fmt.nan_code:0{digits}x}" for code in signs]
    elif fmt.nan is NaN.IEEE:
        top = (1 << fmt.magnitude_bits) - 1
        for code in signs:
            first, last = code | fmt.infinity_code + 1, code | top
            run = f"0x{first:0{digits}x}"
            found["nan"].append(run if first == last else f"{run}-0x{last:0{digits}x}")
    return found


def _fixed_range(fmt: Format) -> str:
    """Both ends of a fixed-point range in one style: decimal up to 64 bits, else powers of two."""
    if fmt.bits <= 64:
        return f"{fraction_text(fmt.min_finite, powers=False)} to {fraction_text(fmt.max_finite, powers=False)}"
    unit = f" * 2^{fmt.scale}" if fmt.scale else ""
    high = f"2^{fmt.magnitude_bits} - 1"
    low = "0" if not fmt.signed else f"-({high})" if fmt.symmetric else f"-2^{fmt.magnitude_bits}"
    return f"({low} to {high}){unit}" if unit else f"{low} to {high}"


def _rows(fmt: Format) -> list[tuple[str, str]]:
    """Label and text of everything that is not the list of codes."""
    entry = _entry(fmt)
    rows = [("name", fmt.name)]
    if entry:
        rows += [("standard", f"{entry.standard}; {entry.source}")]
        rows += [("note", entry.note)] if entry.note else []
        rows += [("also called", ", ".join(entry.aliases))] if entry.aliases else []
    if fmt.spelling != fmt.name:
        rows.append(("spelled out", fmt.spelling))
    rows.append(("bits", f"{fmt.bits}: {layout(fmt)}"))
    if fmt.fixed:
        rows.append(("one unit", fraction_text(fmt.min_positive)))
        rows.append(("range", _fixed_range(fmt)))
        return rows
    rows += [
        ("precision", f"{fmt.precision} (hidden bit included)"),
        ("bias", str(fmt.bias)),
        ("exponents", f"{fmt.emin} to {fmt.emax}"),
        ("largest", f"{fraction_text(fmt.max_finite)} (0x{fmt.max_finite_code:x})"),
        ("smallest normal", fraction_text(fmt.min_normal)),
        ("smallest", fraction_text(fmt.min_positive)),
    ]
    for label, codes in special_codes(fmt).items():
        rows.append((label, ", ".join(codes) or "none"))
    canonical = f"0x{fmt.nan_code:x}" if fmt.has_nan else "none; a NaN result becomes the largest value"
    rows.append(("NaN delivered", canonical))
    if not fmt.subnormals and fmt.zero:
        rows.append(("subnormals", "none; exponent field 0 reads as zero"))
    return rows
