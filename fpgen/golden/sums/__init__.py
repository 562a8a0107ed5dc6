"""Sums of products on arrays of codes."""

__all__: list[str] = []
