"""Multiply-accumulate units over a sequence of steps."""

__all__: list[str] = []
