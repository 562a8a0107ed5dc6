"""A little library with round energies, for what is worked out by hand."""

import numpy as np

# Energies in fJ, capacitances in fF, leakage in nW, times in ps; 2 V, so that C V^2 / 2 is 2 C.
TEXT = """
library (small) {
  time_unit : "1ps"; capacitive_load_unit (1, ff); leakage_power_unit : "1nW"; voltage_unit : "1V";
  nom_process : 1; nom_voltage : 2; nom_temperature : 25;
  power_lut_template (grid) {
    variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("0, 100"); index_2 ("0, 10");
  }
  lu_table_template (load) { variable_1 : total_output_net_capacitance; index_1 ("0, 10"); }
  cell (INV) {
    area : 1; cell_leakage_power : 9;
    leakage_power () { when : "A"; value : 3; }
    leakage_power () { when : "!A"; value : 1; }
    pin (A) { direction : input; capacitance : 2; }
    pin (Y) {
      direction : output; function : "!A";
      timing () { related_pin : "A"; timing_sense : negative_unate;
        cell_rise (scalar) { values ("10"); } cell_fall (scalar) { values ("10"); }
        rise_transition (load) { values ("20, 60"); } fall_transition (load) { values ("40, 80"); } }
      internal_power () { related_pin : "A";
        rise_power (grid) { values ("1, 2", "5, 6"); } fall_power (scalar) { values ("0.5"); } }
    }
  }
  cell (NAND) {
    area : 1; cell_leakage_power : 7;
    leakage_power () { when : "A & B"; value : 3; }
    pin (A) { direction : input; capacitance : 1; }
    pin (B) { direction : input; capacitance : 1;
      internal_power () { when : "!A"; rise_power (scalar) { values ("0.25"); }
                          fall_power (scalar) { values ("0.75"); } } }
    pin (Y) {
      direction : output; function : "!(A & B)";
      timing () { related_pin : "A"; timing_sense : negative_unate;
        cell_rise (scalar) { values ("10"); } cell_fall (scalar) { values ("10"); }
        rise_transition (scalar) { values ("0"); } fall_transition (scalar) { values ("0"); } }
      timing () { related_pin : "B"; timing_sense : negative_unate;
        cell_rise (scalar) { values ("20"); } cell_fall (scalar) { values ("20"); }
        rise_transition (scalar) { values ("0"); } fall_transition (scalar) { values ("0"); } }
      internal_power () { related_pin : "A"; rise_power (scalar) { values ("2"); }
                          fall_power (scalar) { values ("4"); } }
      internal_power () { related_pin : "B"; rise_power (scalar) { values ("8"); }
                          fall_power (scalar) { values ("16"); } }
    }
  }
  cell (DFF) {
    area : 4; cell_leakage_power : 5;
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }
    pin (CK) { direction : input; clock : true; capacitance : 1;
      internal_power () { when : "!(D ^ Q)"; rise_power (scalar) { values ("1"); }
                          fall_power (scalar) { values ("2"); } }
      internal_power () { when : "(D ^ Q)"; fall_power (scalar) { values ("4"); } } }
    pin (D) { direction : input; capacitance : 1;
      internal_power () { when : "CK"; rise_power (scalar) { values ("10"); } fall_power (scalar) { values ("10"); } }
      internal_power () { when : "!CK"; rise_power (scalar) { values ("20"); } fall_power (scalar) { values ("20"); } }
      timing () { related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (scalar) { values ("5"); } fall_constraint (scalar) { values ("5"); } } }
    pin (Q) {
      direction : output; function : "IQ";
      timing () { related_pin : "CK"; timing_type : rising_edge;
        cell_rise (scalar) { values ("10"); } cell_fall (scalar) { values ("10"); }
        rise_transition (scalar) { values ("0"); } fall_transition (scalar) { values ("0"); } }
      internal_power () { related_pin : "CK"; rise_power (scalar) { values ("3"); }
                          fall_power (scalar) { values ("5"); } }
    }
  }
  cell (LATCH) { area : 1; latch (IQ, IQN) { enable : "G"; data_in : "D"; }
    pin (G) { direction : input; } pin (D) { direction : input; } pin (Y) { direction : output; function : "IQ"; } }
  cell (SECRET) { area : 1; pin (A) { direction : input; capacitance : 1; } pin (Y) { direction : output; } }
}
"""


def bits(*values):
    """A clock's inputs: port -> bit, the same in all streams."""
    return [{name: np.full(1, -bit).astype(np.uint64) for name, bit in clock.items()} for clock in values]
