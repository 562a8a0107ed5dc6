"""The columns of a store: what each one means, in which unit, and of which kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Prefix of the columns that hold a sweep's parameters.
PARAMETER = "param_"

#: Name -> (kind, meaning). Columns beyond these (a parameter, or what a later version measures) follow their values.
COLUMNS: dict[str, tuple[type, str]] = {
    "sweep": (str, "name of the sweep"),
    "title": (str, "what the sweep is about"),
    "point": (str, "the parameters in one line"),
    "series": (str, "the curve this record belongs to in plots"),
    "scale": (str, "name of the parameter along that curve"),
    "compete": (str, "records with the same text here are compared with each other; empty: those of equal function"),
    "unit": (str, "the unit's line of text"),
    "name": (str, "Verilog module"),
    "operation": (str, "multiply, add, fma, ..."),
    "contract": (str, "what the result is"),
    "status": (str, "ok; failed; rejected: there is no such unit"),
    "reason": (str, "why there are no figures"),
    "technology": (str, "cell library"),
    "recipe": (str, "recipe/variant/script"),
    "target_ps": (float, "delay asked for, ps"),
    "area_um2": (float, "cell area, um2"),
    "nand2_eq": (float, "area over that of the smallest two-input NAND"),
    "delay_ps": (float, "critical delay, ps"),
    "delay_source": (str, "sta: fpgen's timing; abc: stime"),
    "sta_delay_ps": (float, "critical delay by fpgen's timing, ps"),
    "fmax_mhz": (float, "1 / critical delay, MHz"),
    "adp": (float, "area x delay, 10^6 um2 ps"),
    "latency": (int, "clocks from operands to result"),
    "cells": (int, "cells in all"),
    "registers": (int, "flip-flops"),
    "logic_depth": (int, "cells on the critical path"),
    "startpoint": (str, "where the critical path starts"),
    "endpoint": (str, "where it ends"),
    "luts": (int, "four-input LUTs, of an FPGA"),
    "dsps": (int, "multiplier blocks, of an FPGA"),
    "sections": (str, "area by section of the datapath, um2: JSON; from a synthesis that keeps them apart"),
    "sections_reason": (str, "why there are none"),
    "proof": (str, "mapped netlist against the Verilog: proven, failed, timed out, inconclusive, not attempted"),
    "proof_detail": (str, "why it was not proven"),
    "proof_seconds": (float, "s"),
    "energy_pj": (float, "energy per operation, pJ, under power_stimulus; the sum of the five after its error"),
    "energy_error_pj": (float, "standard error of energy_pj, pJ: its operations are a sample"),
    "internal_pj": (float, "inside the gates, pJ"),
    "switching_pj": (float, "charging the nets that gates drive, pJ"),
    "registers_pj": (float, "inside the flip-flops, and charging the nets they drive, pJ"),
    "clock_pj": (float, "at the flip-flops' clock pins, pJ"),
    "glitch_pj": (float, "edges before the nets settle, pJ"),
    "inputs_pj": (float, "charging the input nets, pJ; not in the sum"),
    "leakage_nw": (float, "leakage, nW"),
    "power_stimulus": (str, "operands of the energy figures"),
    "power_seed": (int, "of those operands"),
    "power_operations": (int, "operations counted"),
    "power_glitch_operations": (int, "operations whose glitches were counted"),
    "power_assumptions": (str, "what the energy rests on: JSON"),
    "power_seconds": (float, "wall time of the energy measurement, s"),
    "error_rms": (float, "rms error over rms result, on error_data; of the unit alone, given its rounded operands"),
    "error_max": (float, "largest relative error, on error_data; of the unit alone"),
    "error_sum": (float, "largest error over the sum of the terms' magnitudes, on error_data; of the unit alone"),
    "error_total_rms": (float, "as error_rms, against the exact result of the unrounded data: with rounding operands"),
    "error_total_max": (float, "as error_max, against the exact result of the unrounded data"),
    "error_total_sum": (float, "as error_sum, against the exact result of the unrounded data"),
    "error_special": (int, "results infinite or NaN where the exact one is not"),
    "error_data": (str, "the data of the error figures"),
    "assumptions": (str, "corner, drive, load, wires: JSON"),
    "versions": (str, "tools: JSON"),
    "unit_hash": (str, "content hash of the unit"),
    "library_hash": (str, "content hash of the cell library"),
    "netlist_hash": (str, "content hash of the mapped netlist"),
    "key": (str, "content hash of all that the record depends on"),
    "seconds": (float, "wall time of the synthesis, s"),
    "point_seconds": (float, "wall time of the whole point, s"),
}


def ordered(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns that `records` have: parameters after `point`, what is not known here before the assumptions."""
    present = list(dict.fromkeys(name for record in records for name in record))
    parameters = [name for name in present if name.startswith(PARAMETER)]
    others = [name for name in present if name not in COLUMNS and name not in parameters]
    known = [name for name in COLUMNS if name in present]
    front = [name for name in ("sweep", "title", "point") if name in known]
    tail = known[known.index("assumptions") :] if "assumptions" in known else []
    middle = [name for name in known if name not in front and name not in tail]
    return [*front, *parameters, *middle, *others, *tail]


def kind_of(name: str, values: Iterable[Any]) -> type:
    """What a column holds: bool, int, float or str."""
    if name in COLUMNS:
        return COLUMNS[name][0]
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {bool}:
        return bool
    if kinds and kinds <= {int, float}:
        return float if float in kinds else int
    return str


def cell(value: Any, kind: type) -> Any:
    """A value as its column's kind; NaN, and what does not fit, is None."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if kind is str:
        return (
            _text(value)
            if isinstance(value, str)
            else "true"
            if value is True
            else "false"
            if value is False
            else str(value)
        )
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: str) -> str:
    """Text that every CSV reader reads back: no carriage returns, no NUL, nothing that is not Unicode."""
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").encode(errors="replace").decode()
