"""Number formats as immutable parameter objects, the catalogue, and the grammar that names the rest."""

from .catalogue import CATALOGUE, Entry
from .descriptor import Class, Format, Infinity, NaN
from .grammar import as_format, canonical_name, parse
from .values import value_text

__all__ = [
    "CATALOGUE",
    "Class",
    "Entry",
    "Format",
    "Infinity",
    "NaN",
    "as_format",
    "canonical_name",
    "parse",
    "value_text",
]
