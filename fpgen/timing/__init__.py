"""Netlists and their static timing analysis."""

__all__: list[str] = []
