"""Arithmetic on graphs: adders, multipliers, shifts, counts, quantities."""

__all__: list[str] = []
