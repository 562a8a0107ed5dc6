"""Power against a plain count: random netlists of the little library, one stream and one edge after the other.

Nothing of the product is used for the expected figures: functions, energies, capacitances and slews of the three
cells are written out again below, from the text of `power_cells`.
"""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from power_cells import TEXT

from fpgen.library import liberty
from fpgen.power import power, toggles
from fpgen.timing import netlist

LIBRARY = liberty.from_text(TEXT, power=True)
LOAD, EDGE = 3.0, 2.0  # fF at outputs; fJ for each fF and edge: 2 V squared, halved
CAP = {"INV": {"A": 2.0}, "NAND": {"A": 1.0, "B": 1.0}, "DFF": {"CK": 1.0, "D": 1.0}}
INPUTS = 4


@st.composite
def circuits(draw):
    """Cells in order: (kind, nets at its data pins); net k < INPUTS is an input, the others are the cells' outputs."""
    cells = []
    for number in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(("INV", "NAND", "NAND", "DFF")))
        nets = st.integers(0, INPUTS + number - 1)
        cells.append((kind, [draw(nets) for _ in range(2 if kind == "NAND" else 1)]))
    return cells


def verilog(cells):
    lines = [f"wire [{INPUTS + len(cells) - 1}:0] n;"]
    lines += [f"assign n[{k}] = a[{k}];" for k in range(INPUTS)]
    for number, (kind, nets) in enumerate(cells):
        pins = [f".{pin}(n[{net}])" for pin, net in zip("D" if kind == "DFF" else "AB", nets, strict=False)]
        pins += [".CK(clk)"] if kind == "DFF" else []
        lines.append(f"{kind} u{number} ({', '.join(pins)}, .{'Q' if kind == 'DFF' else 'Y'}(n[{INPUTS + number}]));")
    return (
        f"module m(clk, a, y); input clk; input [{INPUTS - 1}:0] a; output y;\n"
        + "\n".join(lines)
        + f"\nassign y = n[{INPUTS + len(cells) - 1}]; endmodule"
    )


def counted(cells, stimulus):
    """Energies in fJ and leakage in nW per operation; `stimulus[stream][clock]` is a list of input bits."""
    count = INPUTS + len(cells)
    load = [0.0] * count
    load[-1] += LOAD
    for kind, nets in cells:
        for pin, net in zip("D" if kind == "DFF" else "AB", nets, strict=False):
            load[net] += CAP[kind][pin]
    # Falling and rising slew of each net: an inverter's depends on its load alone, the others' are 0.
    slews = [
        (40 + 4 * load[k], 20 + 4 * load[k]) if k >= INPUTS and cells[k - INPUTS][0] == "INV" else (0.0, 0.0)
        for k in range(count)
    ]
    found, causes, edges, operations = Counter(), Counter(), Counter(), 0
    for clocks in stimulus:
        values, states = [0] * count, [0] * len(cells)
        for clock, bits in enumerate(clocks):
            old = list(values)
            if clock:
                states = [old[nets[0]] if kind == "DFF" else 0 for kind, nets in cells]
            values[:INPUTS] = bits
            for k, (kind, nets) in enumerate(cells):
                one, other = values[nets[0]], values[nets[-1]]
                values[INPUTS + k] = states[k] if kind == "DFF" else 1 - one if kind == "INV" else 1 - (one & other)
            if not clock:
                continue
            operations += 1
            for k, (kind, nets) in enumerate(cells):
                net = INPUTS + k
                was, now, data, before = old[net], values[net], values[nets[0]], old[nets[0]]
                if was != now:
                    found["registers" if kind == "DFF" else "switching"] += EDGE * load[net]
                if kind == "DFF":
                    found["clock"] += (1 if before == was else 0) + (2 if data == now else 4)
                    found["register_internal"] += 15 * (data != before) + (was != now) * (3 if now else 5)
                    found["register_leakage"] += 5
                elif kind == "INV":
                    slew = slews[nets[0]][0]  # of the falling edge, which makes the output rise
                    found["internal"] += (was != now) * (1 + 0.04 * slew + 0.1 * load[net] if now else 0.5)
                    found["leakage"] += 3 if data else 1
                else:
                    second = values[nets[1]]
                    if old[nets[1]] != second and not data:
                        found["internal"] += 0.25 if second else 0.75
                    found["leakage"] += 3 if data & second else 7
                    if was != now:
                        edges[k, now] += 1
                        for pin in range(2):
                            causes[k, now, pin] += old[nets[pin]] != values[nets[pin]]
    for (k, rising), number in edges.items():  # each table by the share of the edges that its input moved with
        shares = [causes[k, rising, pin] for pin in range(2)]
        found["internal"] += number * float(np.dot(shares, (2, 8) if rising else (4, 16))) / sum(shares)
    return Counter({name: value / operations for name, value in found.items()})


@settings(deadline=None, max_examples=40)
@given(circuits(), st.integers(0, 2**32))
def test_every_component_is_that_of_a_plain_count(cells, seed):
    clocks = [
        {f"a[{k}]": word for k, word in enumerate(words)}
        for words in np.random.default_rng(seed).integers(0, 1 << 64, (6, INPUTS, 1), dtype=np.uint64)
    ]
    flat = netlist.from_text(verilog(cells))
    run = toggles.simulate(toggles.Simulator(flat, LIBRARY, 1), clocks, 1)
    found = power.evaluate(flat, LIBRARY, run.activity, output_load_ff=LOAD)
    wanted = counted(
        cells,
        [[[int(clock[f"a[{k}]"][0]) >> stream & 1 for k in range(INPUTS)] for clock in clocks] for stream in range(64)],
    )
    registers = sum(kind == "DFF" for kind, _ in cells)
    assert {
        "internal": found.internal_fj,
        "switching": found.switching_fj,
        "registers": found.register_switching_fj,
        "register_internal": found.register_internal_fj,
        "clock": found.clock_fj,
        "leakage": found.leakage_nw,
        "register_leakage": found.register_leakage_nw,
        "clock_net": found.clock_net_fj,
    } == pytest.approx(
        {
            **dict.fromkeys(
                ("internal", "switching", "registers", "register_internal", "clock", "leakage", "register_leakage"), 0.0
            ),
            **wanted,
            "clock_net": 2 * EDGE * registers,
        }
    )


def in_units(time, cap, capacitance, watt, leakage, volt, voltage):
    """An inverter and a flip-flop, the same whatever the units: time in `time` ns, energy in C V^2."""
    t, c, w, v = 1 / time, 1 / cap, 1 / leakage, 1 / voltage  # numbers for 1 ns, 1 fF, 1 nW, 1 V
    e = c * v * v  # for 1 fJ

    def inside(rise, fall):
        return (
            f'rise_power (grid) {{ values ("{rise * e}, {2 * rise * e}", "{3 * rise * e}, {5 * rise * e}"); }} '
            f'fall_power (scalar) {{ values ("{fall * e}"); }}'
        )

    slews = "".join(
        f'{name} (load) {{ values ("{t * 0.01}, {t * 0.09}"); }} '
        for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
    )
    return f"""library (units) {{
      time_unit : "{time}ns"; capacitive_load_unit (1, {capacitance}); leakage_power_unit : "1{watt}";
      voltage_unit : "{volt}"; nom_process : 1; nom_voltage : {1.5 * v}; nom_temperature : 25;
      power_lut_template (grid) {{ variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
        index_1 ("0, {t * 0.1}"); index_2 ("0, {c * 8}"); }}
      lu_table_template (load) {{ variable_1 : total_output_net_capacitance; index_1 ("0, {c * 8}"); }}
      cell (INV) {{ area : 1; leakage_power () {{ when : "A"; value : {w * 40}; }}
        leakage_power () {{ when : "!A"; value : {w * 7}; }}
        pin (A) {{ direction : input; capacitance : {c * 2}; }}
        pin (Y) {{ direction : output; function : "!A"; internal_power () {{ related_pin : "A"; {inside(0.5, 0.25)} }}
          timing () {{ related_pin : "A"; timing_sense : negative_unate; {slews} }} }} }}
      cell (DFF) {{ area : 4; cell_leakage_power : {w * 100}; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; }}
        pin (CK) {{ direction : input; clock : true; capacitance : {c};
          internal_power () {{ rise_power (scalar) {{ values ("{e * 3}"); }} }} }}
        pin (D) {{ direction : input; capacitance : {c}; }}
        pin (Q) {{ direction : output; function : "IQ";
          internal_power () {{ related_pin : "CK"; {inside(0.1, 0.2)} }}
          timing () {{ related_pin : "CK"; timing_type : rising_edge; {slews} }} }} }} }}"""


@pytest.mark.parametrize(
    "units",
    [
        (1, 1e3, "pf", "uw", 1e3, "1V", 1),
        (0.001, 1, "ff", "pw", 1e-3, "1V", 1),
        (1, 1e3, "pf", "mW", 1e6, "1mV", 1e-3),
        (0.01, 1, "ff", "nW", 1, "100mV", 0.1),
    ],
)
def test_figures_do_not_depend_on_the_units_of_the_library(units):
    text = """module m(clk, a, y); input clk, a; output y; wire n, q;
      INV u (.A(a), .Y(n)); DFF r (.CK(clk), .D(n), .Q(q)); INV v (.A(q), .Y(y)); endmodule"""
    found = []
    for given_units in ((1, 1, "ff", "nW", 1, "1V", 1), units):
        library = liberty.from_text(in_units(*given_units), power=True)
        flat = netlist.from_text(text)
        words = np.random.default_rng(1).integers(0, 1 << 64, (9, 1), dtype=np.uint64)
        run = toggles.simulate(toggles.Simulator(flat, library, 1), [{"a": word} for word in words], 2)
        found.append(vars(power.evaluate(flat, library, run.activity, output_load_ff=4.0, driving_cell="INV")))
    plain, other = ({name: value for name, value in record.items() if value == value} for record in found)
    assert other == pytest.approx(plain) and plain["internal_fj"] > 0 and plain["switching_fj"] > 0.1
    assert plain["register_leakage_nw"] == 100 and plain["clock_fj"] == 3 and plain["clock_net_fj"] == 1.5**2
