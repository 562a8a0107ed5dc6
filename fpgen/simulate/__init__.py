"""Simulation of the Verilog: the harness around units, and the simulators."""

__all__: list[str] = []
