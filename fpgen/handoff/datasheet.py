"""The datasheet of a unit: what it computes, its pins, its timing, its datapath, what was checked, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fpgen.formats import Format
from fpgen.formats.describe import layout, special_codes
from fpgen.formats.values import fraction_text
from fpgen.units import RoundedUnit, Rounding, Unit, card_of
from fpgen.units.axis import axis_module, axis_pins
from fpgen.units.options import PORT_CODES
from fpgen.verilog.header import built_of

from .cpp_files import has_systemc, why_no_model
from .sheet_datapath import datapath_section
from .sheet_html import sheet_html
from .sheet_limits import limits
from .sheet_markdown import sheet_markdown
from .sheet_measured import cost, verification
from .sheet_model import Code, Datasheet, Paragraph, Part, Section, table
from .sheet_specials import specials
from .sheet_timing import timing


def datasheet_files(
    unit: Unit, *, note: str = "", evidence: Mapping[str, Any] | None = None, points: Iterable[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """Name to text: the same datasheet as Markdown and as HTML. The parameters are those of `datasheet`."""
    sheet = datasheet(unit, note=note, evidence=evidence, points=points)
    return {"datasheet.md": sheet_markdown(sheet), "datasheet.html": sheet_html(sheet)}


def datasheet(
    unit: Unit, *, note: str = "", evidence: Mapping[str, Any] | None = None, points: Iterable[Mapping[str, Any]] = ()
) -> Datasheet:
    """What is in the datasheet.

    Parameters
    ----------
    unit : Unit
    note : str
        One line of the user's own.
    evidence : mapping, optional
        `evidence.json`: what was checked. Without it the datasheet says that nothing was.
    points : iterable of mapping
        The points of `ppa.json`.
    """
    sections = (
        _ports(unit),
        *filter(None, [_wrapper(unit)]),
        timing(unit),
        datapath_section(unit),
        _numbers(unit),
        specials(unit),
        _models(unit),
        verification(evidence),
        cost(points),
        limits(unit),
    )
    return Datasheet(unit.name, tuple(_head(unit, note)), sections)


def _head(unit: Unit, note: str) -> list[Part]:
    parts: list[Part] = [Code(unit.text), *([Paragraph(note)] if note else [])]
    parts.append(Paragraph(f"**Contract:** {unit.contract}."))
    parts += [Paragraph(f"**{title}:** `{text}`.") for title, text in card_of(unit).formula(unit)]
    parts += [Paragraph(f"**{title}:** {text}.") for title, text in built_of(unit)]
    return parts


def _ports(unit: Unit) -> Section:
    rows = [(f"`{port.name}`", "in" if port.is_input else "out", port.width, port.meaning) for port in unit.ports]
    parts: list[Part] = [table(["port", "", "bits", "meaning"], rows)]
    if isinstance(unit, RoundedUnit) and unit.rounding is Rounding.PORT:
        codes = ", ".join(f"{code} {mode.value.upper()}" for mode, code in PORT_CODES.items())
        parts.append(Paragraph(f"Codes of `rounding`: {codes}; 5 and 7 act as RNE."))
    return Section("Ports", tuple(parts))


def _wrapper(unit: Unit) -> Section | None:
    """The AXI4-Stream signals of a unit that has them."""
    rows = [
        (
            f"`{pin.name}`",
            "in" if pin.is_input else "out",
            f"{field.low + field.width - 1}:{field.low}" if pin.width > 1 else "",
            "(padding)" if field.port is None else f"{'not ' if pin.inverted else ''}`{field.port.name}`",
        )
        for pin in axis_pins(unit)
        for field in pin.fields
    ]
    if not rows:
        return None
    text = (
        f"`{axis_module(unit)}.v` has the module `{axis_module(unit)}`, wires only, with these signals around the unit "
        "(AMBA AXI4-Stream, ARM IHI 0051A). Padding is not read, and 0 in results."
    )
    return Section("AXI4-Stream", (Paragraph(text), table(["signal", "", "bits", "port of the unit"], rows)))


def _numbers(unit: Unit) -> Section:
    ports: dict[Format, list[str]] = {}
    for port in unit.ports:
        if port.format is not None:
            ports.setdefault(port.format, []).append(port.name)
    columns = [
        (
            ", ".join(f"`{name}`" for name in names),
            fmt.spelling,
            f"{fmt.bits}: {layout(fmt)}",
            "-" if fmt.fixed else fmt.bias,
            fraction_text(fmt.max_finite),
            "-" if fmt.fixed else fraction_text(fmt.min_normal),
            fraction_text(fmt.min_positive),
            *(", ".join(special_codes(fmt)[kind]) or "none" for kind in ("infinity", "nan")),
        )
        for fmt, names in ports.items()
    ]
    labels = ("ports", "parameters", "bits", "bias", "largest", "smallest normal", "smallest positive", "infinities")
    rows = zip((*labels, "NaNs"), *columns, strict=True)
    parts: list[Part] = [table(["", *(fmt.name for fmt in ports)], rows)] if ports else []
    if isinstance(unit, RoundedUnit):
        options = [
            ("rounding", unit.rounding.value),
            ("overflow", unit.semantics.overflow.value),
            ("subnormals", unit.subnormals.value),
            ("tininess", unit.tininess.value),
        ]
        parts.append(Paragraph(", ".join(f"{name} `{value}`" for name, value in options) + f". {unit.nan_text}"))
    return Section("Numbers", tuple(parts))


def _models(unit: Unit) -> Section:
    title, absent = "C++ model", why_no_model(unit)
    if absent:
        return Section(title, (Paragraph(absent),))
    call = "`step`, with a `state`" if unit.stateful else "`compute`"
    text = (
        f"`{unit.name}_model.h`, C++17 without dependencies, bit-exact: {call}. For SystemVerilog"
        f" through the DPI: `{unit.name}_dpi.cpp`."
    )
    if has_systemc(unit):
        text += f" An example for SystemC: `{unit.name}_systemc.cpp`."
    return Section(title, (Paragraph(text),))
