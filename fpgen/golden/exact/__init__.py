"""The exact model: one rational number at a time, slow and plain."""

__all__: list[str] = []
