"""Proofs: that two designs are equivalent, for text and for netlists."""

__all__: list[str] = []
