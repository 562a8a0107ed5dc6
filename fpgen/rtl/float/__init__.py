"""Floating point on graphs: unpack, exact cores, the one rounder."""

__all__: list[str] = []
