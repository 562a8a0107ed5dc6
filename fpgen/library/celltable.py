"""Compact cell tables (`synth/tech/*.toml`), and the Liberty text that they stand for.

A table describes each cell by a few linear figures. Its tables in Liberty are those figures evaluated on the
grid over which they hold; Yosys, ABC and fpgen's timing then read them like any other library.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base.errors import UsageError


@dataclass(frozen=True)
class TableArc:
    """An arc: input pin, sense (+1, -1, 0 from the clock), and six coefficients for each output edge."""

    pin: str
    sense: int
    rise: tuple[float, ...]
    fall: tuple[float, ...]


@dataclass(frozen=True)
class TableCell:
    """A cell: area in um2, leakage in nW, energy in fJ per output edge, input capacitances in fF.

    `flipflop` is empty, `plain` or `inverted` (its output is the inverted state); `setup_ps` belongs to it, and
    `clock_energy_fj` (at a rising clock edge that keeps the state, at a falling one with data as kept, and with other)
    and `data_energy_fj` (per edge of its data).
    """

    name: str
    area_um2: float
    leakage_nw: float
    energy_fj: float
    function: str
    input_cap_ff: Mapping[str, float]
    arcs: tuple[TableArc, ...]
    flipflop: str = ""
    setup_ps: float = 0.0
    clock_energy_fj: tuple[float, ...] = ()
    data_energy_fj: float = 0.0


@dataclass(frozen=True)
class CellTable:
    """A technology as a table; slews in ps, `load_parts` as parts of a cell's largest load."""

    name: str
    supply_v: float
    temperature_c: float
    driving_cell: str
    output_load_ff: float
    max_slew_ps: float
    slews_ps: tuple[float, ...]
    load_parts: tuple[float, ...]
    cells: tuple[TableCell, ...]


def read(path: Path) -> CellTable:
    """The table of a TOML file.

    Raises
    ------
    UsageError
        When the file cannot be read, or lacks a figure.
    """
    try:
        data = tomllib.loads(path.read_text())
        cells = tuple(_cell(item) for item in data["cell"])
        return CellTable(
            data["name"],
            float(data["supply_v"]),
            float(data["temperature_c"]),
            data["driving_cell"],
            float(data["output_load_ff"]),
            float(data["max_slew_ps"]),
            tuple(data["slews_ps"]),
            tuple(data["load_parts"]),
            cells,
        )
    except OSError as error:
        raise UsageError(f"cannot read the cell table {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the cell table {path} cannot be read: {error}") from None


def _cell(item: Mapping[str, Any]) -> TableCell:
    arcs = tuple(
        TableArc(arc["pin"], int(arc["sense"]), tuple(arc["rise"]), tuple(arc["fall"])) for arc in item["arcs"]
    )
    for arc in arcs:
        if len(arc.rise) != 6 or len(arc.fall) != 6 or arc.sense not in (-1, 0, 1):
            raise ValueError(
                f"cell {item['name']}, pin {arc.pin}: expected six figures per edge and a sense of -1, 0 or 1"
            )
    kind = item.get("flipflop", "")
    if kind not in ("", "plain", "inverted"):
        raise ValueError(f"cell {item['name']}: flipflop: got {kind!r}; expected 'plain' or 'inverted'")
    clock = tuple(float(figure) for figure in item.get("clock_energy_fj", ()))
    if clock and (len(clock) != 3 or not kind):
        raise ValueError(
            f"cell {item['name']}: clock_energy_fj: got {list(clock)}; expected three figures of a flip-flop"
        )
    return TableCell(
        item["name"],
        float(item["area_um2"]),
        float(item["leakage_nw"]),
        float(item["energy_fj"]),
        "" if kind else item["function"],
        item["input_cap_ff"],
        arcs,
        kind,
        float(item["setup_ps"]) if kind else 0.0,
        clock,
        float(item.get("data_energy_fj", 0.0)),
    )


def to_liberty(table: CellTable) -> str:
    """The table as Liberty text: units 1 ps, 1 fF, 1 nW."""
    slews = _join(table.slews_ps)
    lines = [
        f"library ({table.name}) {{",
        "  delay_model : table_lookup;",
        '  time_unit : "1ps";',
        "  capacitive_load_unit (1, ff);",
        '  leakage_power_unit : "1nW";',
        '  voltage_unit : "1V";',
        '  current_unit : "1mA";',
        '  pulling_resistance_unit : "1kohm";',
        "  nom_process : 1;",
        f"  nom_voltage : {table.supply_v:g};",
        f"  nom_temperature : {table.temperature_c:g};",
        "  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;",
        "  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;",
        "  slew_lower_threshold_pct_rise : 20; slew_lower_threshold_pct_fall : 20;",
        "  slew_upper_threshold_pct_rise : 80; slew_upper_threshold_pct_fall : 80;",
        "  default_fanout_load : 1;",
        f"  default_max_transition : {table.max_slew_ps:g};",
        "  lu_table_template (delay) {",
        "    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;",
        f'    index_1 ("{slews}"); index_2 ("{_join(table.load_parts)}");',
        "  }",
        "  lu_table_template (setup) {",
        "    variable_1 : constrained_pin_transition; variable_2 : related_pin_transition;",
        f'    index_1 ("{slews}"); index_2 ("{slews}");',
        "  }",
    ]
    for cell in table.cells:
        lines += _cell_lines(table, cell)
    return "\n".join([*lines, "}"]) + "\n"


def _cell_lines(table: CellTable, cell: TableCell) -> list[str]:
    lines = [
        f"  cell ({cell.name}) {{",
        f"    area : {cell.area_um2:g};",
        f"    cell_leakage_power : {cell.leakage_nw:g};",
    ]
    if cell.flipflop:
        lines.append('    ff (IQ, IQN) { clocked_on : "ck"; next_state : "d"; }')
    for pin, cap in cell.input_cap_ff.items():
        lines += [f"    pin ({pin}) {{", "      direction : input;", f"      capacitance : {cap:g};"]
        if cell.flipflop and pin == "ck":
            lines.append("      clock : true;")
            lines += _clock_power(cell)
        if cell.flipflop and pin == "d":
            lines += ["      timing () {", "        related_pin : ck; timing_type : setup_rising;"]
            constant = _grid([[cell.setup_ps] * len(table.slews_ps)] * len(table.slews_ps))
            lines += [f"        {edge}_constraint (setup) {{ values ({constant}); }}" for edge in ("rise", "fall")]
            lines.append("      }")
            lines += [f"      internal_power () {{ {_scalars(cell.data_energy_fj)} }}"] if cell.data_energy_fj else []
        lines.append("    }")
    function = {"plain": "IQ", "inverted": "IQN"}.get(cell.flipflop, cell.function)
    largest = min((table.max_slew_ps - edge[3]) / edge[5] for arc in cell.arcs for edge in (arc.rise, arc.fall))
    lines += [
        f"    pin ({'q' if cell.flipflop else 'y'}) {{",
        "      direction : output;",
        f'      function : "{function}";',
        f"      max_capacitance : {largest:.4g};",
    ]
    loads = [part * largest for part in table.load_parts]
    axis = f'index_2 ("{_join(loads)}");'
    for arc in cell.arcs:
        sense = {1: "positive_unate", -1: "negative_unate", 0: "non_unate"}[arc.sense]
        kind = " timing_type : rising_edge;" if cell.flipflop else ""
        lines += ["      timing () {", f"        related_pin : {arc.pin}; timing_sense : {sense};{kind}"]
        for edge, figures in (("rise", arc.rise), ("fall", arc.fall)):
            lines += [
                f"        {name} (delay) {{ {axis} values ({_evaluate(table.slews_ps, loads, part)}); }}"
                for name, part in ((f"cell_{edge}", figures[:3]), (f"{edge}_transition", figures[3:]))
            ]
        lines.append("      }")
        lines += ["      internal_power () {", f"        related_pin : {arc.pin};"]
        lines += [f"        {_scalars(cell.energy_fj)}", "      }"]
    return [*lines, "    }", "  }"]


def _clock_power(cell: TableCell) -> list[str]:
    """The internal power of a flip-flop's clock pin."""
    if not cell.clock_energy_fj:
        return []
    rise, fall, other = cell.clock_energy_fj
    kept, new = ("!(d ^ q)", "(d ^ q)") if cell.flipflop == "plain" else ("(d ^ q)", "!(d ^ q)")
    return [
        f'      internal_power () {{ when : "{kept}"; {_scalars(rise, fall)} }}',
        f'      internal_power () {{ when : "{new}"; {_scalars(0.0, other)} }}',
    ]


def _scalars(rise: float, fall: float | None = None) -> str:
    """Energy tables of both edges."""
    return " ".join(
        f'{edge}_power (scalar) {{ values ("{energy:g}"); }}'
        for edge, energy in (("rise", rise), ("fall", rise if fall is None else fall))
    )


def _evaluate(slews: Sequence[float], loads: Sequence[float], figures: Sequence[float]) -> str:
    base, per_slew, per_load = figures
    return _grid([[base + per_slew * slew + per_load * load for load in loads] for slew in slews])


def _grid(rows: Sequence[Sequence[float]]) -> str:
    return ", ".join(f'"{_join(row)}"' for row in rows)


def _join(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)
