"""Number formats as immutable parameter objects, the catalogue, and the grammar that names the rest."""

from .blocks import BLOCKS, BlockFormat, as_block, as_plain_or_block, parse_block
from .catalogue import CATALOGUE, Entry
from .code_classes import Class, Infinity, NaN
from .descriptor import Format
from .grammar import as_format, canonical_name, parse
from .values import value_text

__all__ = [
    "BLOCKS",
    "CATALOGUE",
    "BlockFormat",
    "Class",
    "Entry",
    "Format",
    "Infinity",
    "NaN",
    "as_block",
    "as_format",
    "as_plain_or_block",
    "canonical_name",
    "parse",
    "parse_block",
    "value_text",
]
