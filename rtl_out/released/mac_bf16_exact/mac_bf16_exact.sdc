# Constraints of mac_bf16_exact
#
# mac bf16 bf16 -> fp32 rne stages=3 handshake=ready module_name=mac_bf16_exact accumulate=exact terms=1024
#
# SDC for OpenSTA, Genus, Design Compiler and the like. A variable that is set before this file is read keeps its value.

# How many ps the reading tool's unit of time is, and how many fF its unit of capacitance; here ns and pF.
if {![info exists time_unit_ps]} { set time_unit_ps 1000.0 }
if {![info exists load_unit_ff]} { set load_unit_ff 1000.0 }

# Clock period in ps: as measured, with the recipe balanced/plain/dch-map in fpgen45.
if {![info exists period_ps]} { set period_ps 9112.4 }

# The part of the period that passes outside of the unit, before its inputs and after its outputs. The figures of the
# datasheet leave none of it to the outside. Stages are balanced with the first and the last being whole ones, so what is
# given to the outside here makes the period longer.
if {![info exists input_fraction]} { set input_fraction 0.0 }
if {![info exists output_fraction]} { set output_fraction 0.0 }

# The figures of the datasheet are for this cell at each input and this load at each output: fpgen45, process 1, 1.1 V, 25 C.
# A library without the cell leaves the inputs ideal.
if {![info exists driving_cell]} { set driving_cell buf_x2 }
if {![info exists output_load_ff]} { set output_load_ff 4.0 }

set period [expr {$period_ps / $time_unit_ps}]
set inputs [get_ports {rst in_valid a[*] b[*] clear out_ready}]
set outputs [get_ports {in_ready out_valid result[*]}]

create_clock -name clk -period $period [get_ports clk]
set_clock_uncertainty 0.0 [get_clocks clk]
set_clock_transition 0.0 [get_clocks clk]
set_input_delay [expr {$input_fraction * $period}] -clock clk $inputs
set_output_delay [expr {$output_fraction * $period}] -clock clk $outputs
set_load [expr {$output_load_ff / $load_unit_ff}] $outputs
if {[llength [get_lib_cells -quiet */$driving_cell]]} { set_driving_cell -lib_cell $driving_cell $inputs }
