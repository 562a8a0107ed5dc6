"""What the PPA tests share: where outside data may stand, and a cache of their own."""

import os
from pathlib import Path

import pytest

from fpgen.base.cache import cache_dir

SHARED = Path(__file__).resolve().parents[2] / "shared"
LIBERTY = SHARED / "liberty"
TIMING = SHARED / "timing"

needs_liberty = pytest.mark.skipif(not LIBERTY.is_dir(), reason="no full libraries beside the checkout")
needs_timing = pytest.mark.skipif(not TIMING.is_dir(), reason="no reference timing reports beside the checkout")


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache; only the compiled WebAssembly module is taken from the usual one."""
    compiled = os.environ.get("YOWASP_CACHE_DIR") or str(cache_dir("yowasp"))
    monkeypatch.setenv("YOWASP_CACHE_DIR", compiled)
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


SMALL_LIBERTY = """
/* two gates and a flip-flop, with round figures */
library (small) {
  time_unit : "1ns";
  capacitive_load_unit (1, pf);
  leakage_power_unit : "1uW";
  voltage_unit : "1V";
  nom_process : 1; nom_voltage : 1.2; nom_temperature : 25;
  lu_table_template (t22) {
    variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition;
    index_1 ("0.001, 0.003");
    index_2 ("0.0, 0.1");
  }
  lu_table_template (load) { variable_1 : total_output_net_capacitance; index_1 ("0.001, 0.003"); }
  lu_table_template (check) {
    variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("0, 0.1"); index_2 ("0, 0.1");
  }
  cell (INV) {
    area : 2.0; cell_leakage_power : 0.5;
    pin (A) { direction : input; capacitance : 0.002; rise_capacitance : 0.0025; }
    pin (Y) {
      direction : output; function : "!A";
      timing () {
        related_pin : "A"; timing_sense : negative_unate;
        cell_rise (t22) { values ("0.010, 0.020", \\
                                  "0.030, 0.040"); }
        cell_fall (load) { values ("0.011, 0.031"); }
        rise_transition (scalar) { values ("0.050"); }
        fall_transition (scalar) { values ("0.060"); }
      }
      internal_power () { related_pin : "A"; rise_power (scalar) { values ("0.001"); } }
    }
  }
  cell (NAND) {
    area : 3.0; dont_use : false;
    leakage_power () { when : "A"; value : 0.2; }
    leakage_power () { when : "!A"; value : 0.4; }
    pin (A, B) { direction : input; capacitance : 0.002; }
    pin (Y) {
      direction : output; function : "(A B)'";
      timing () {
        related_pin : "A B";
        cell_rise (load) { values ("0.020, 0.040"); }
        cell_fall (load) { values ("0.020, 0.040"); }
        rise_transition (scalar) { values ("0.050"); }
        fall_transition (scalar) { values ("0.050"); }
      }
    }
  }
  cell (DFF) {
    area : 10;
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }
    pin (CK) { direction : input; clock : true; capacitance : 0.001; }
    pin (D) {
      direction : input; capacitance : 0.001;
      timing () {
        related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (check) { values ("0.030, 0.050", "0.030, 0.050"); }
        fall_constraint (check) { values ("0.030, 0.050", "0.030, 0.050"); }
      }
    }
    pin (Q) {
      direction : output; function : "IQ";
      timing () {
        related_pin : "CK"; timing_type : rising_edge;
        cell_rise (load) { values ("0.100, 0.120"); }
        cell_fall (load) { values ("0.090, 0.110"); }
        rise_transition (scalar) { values ("0.040"); }
        fall_transition (scalar) { values ("0.040"); }
      }
    }
  }
}
"""
