"""Test vectors: families, patterns, their plan and how they lie in a file."""

__all__: list[str] = []
