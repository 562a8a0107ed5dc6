"""Scalar operations on arrays of codes: tables, limbs, products, rounding."""

__all__: list[str] = []
