"""From Verilog to points: Yosys, recipes, efforts, and FPGAs."""

__all__: list[str] = []
