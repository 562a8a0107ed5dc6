"""Energy of a mapped unit: stimulus, toggles, glitches."""

__all__: list[str] = []
