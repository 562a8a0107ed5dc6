"""Block formats: elements that share a scale, and how they are named.

::

    block = name | ELEMENT "@" SCALE "/" SIZE [ "/" TENSOR_SCALE ]

such as ``mxfp4`` or ``int8@e8m0/16``. The value of element i is
``element[i] * scale``, times the tensor scale where there is one (OCP MX 1.0, 5.1).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from fpgen.base.errors import LONGEST_NUMBER, UsageError, short_text
from fpgen.base.html import pairs

from .catalogue import ALIASES, CATALOGUE, MX, Entry
from .descriptor import Format
from .grammar import as_format, parse

LARGEST_BLOCK = 1024
_HOW = "expected a name (fpgen formats lists them) or ELEMENT@SCALE/SIZE, as in int8@e8m0/16"


@dataclass(frozen=True)
class BlockFormat:
    """`size` elements of one format that share one scale.

    Parameters
    ----------
    element : Format or str
    scale : Format or str
        Floating point; with a sign (fp16, bf16) it has at least two significand bits.
    size : int
        Elements in a block, 1 to 1024.
    tensor_scale : Format or str, optional
        Format of a second scale that the whole tensor shares (NVFP4).
    name : str
        What to call it; derived when empty. Not part of equality.

    Raises
    ------
    UsageError
    """

    element: Format
    scale: Format
    size: int
    tensor_scale: Format | None = None
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for part in ("element", "scale", "tensor_scale"):
            if part != "tensor_scale" or self.tensor_scale is not None:
                object.__setattr__(self, part, as_format(getattr(self, part)))
        if not (type(self.size) is int and 1 <= self.size <= LARGEST_BLOCK):
            raise UsageError(f"block size: got {short_text(self.size)} elements; expected 1 to {LARGEST_BLOCK}")
        if not isinstance(self.name, str):
            raise UsageError(f"block format name: got {short_text(self.name)}; expected text")
        if self.scale.fixed or (self.scale.signed and self.scale.precision == 1):
            what = "fixed point" if self.scale.fixed else "a signed power of two"
            raise UsageError(
                f"block scale: got {self.scale}, which is {what}; expected floating point, such as e8m0, ue4m3 or fp16"
            )
        if self.tensor_scale is not None and self.tensor_scale.fixed:
            raise UsageError(f"tensor scale: got {self.tensor_scale}, which is fixed point; expected floating point")
        if not self.name:
            object.__setattr__(self, "name", self.spelling)

    @property
    def spelling(self) -> str:
        """Text that `parse_block` reads back, independent of the name."""
        tensor = f"/{self.tensor_scale.name}" if self.tensor_scale else ""
        return f"{self.element.name}@{self.scale.name}/{self.size}{tensor}"

    @property
    def power_of_two_scale(self) -> bool:
        """Whether every scale is a power of two."""
        return self.scale.precision == 1

    @property
    def bits_per_element(self) -> float:
        """Storage, the block's scale included."""
        return self.element.bits + self.scale.bits / self.size

    def __str__(self) -> str:
        return self.name

    def _repr_html_(self) -> str:
        entry = next((entry for entry in BLOCKS.values() if entry.format == self), None)
        rows = [
            ("name", self.name),
            ("standard", f"{entry.standard}; {entry.source}" if entry else ""),
            ("spelled out", self.spelling),
            ("elements", f"{self.size} of {self.element}"),
            ("scale", str(self.scale)),
            ("tensor scale", str(self.tensor_scale) if self.tensor_scale else ""),
            ("storage", f"{self.bits_per_element:g} bits an element, the scale included"),
        ]
        return pairs((label, text) for label, text in rows if text)


def _mx(name: str, element: str, standard: str, note: str = "", aliases: tuple[str, ...] = ()) -> Entry[BlockFormat]:
    block = BlockFormat(CATALOGUE[element].format, CATALOGUE["e8m0"].format, 32, name=name)
    return Entry(block, standard, MX, note, aliases)


_ENTRIES = [
    _mx("mxfp8e4m3", "e4m3fn", "MXFP8 (E4M3)", aliases=("mxfp8_e4m3",)),
    _mx("mxfp8e5m2", "e5m2", "MXFP8 (E5M2)", "elements can be infinite or NaN", ("mxfp8_e5m2",)),
    _mx("mxfp6e3m2", "e3m2", "MXFP6 (E3M2)", aliases=("mxfp6_e3m2",)),
    _mx("mxfp6e2m3", "e2m3", "MXFP6 (E2M3)", aliases=("mxfp6_e2m3",)),
    _mx("mxfp4", "e2m1", "MXFP4", "not NVFP4: 32 elements, power-of-two scale", ("mxfp4_e2m1",)),
    _mx("mxint8", "mxint8", "MXINT8", "as an element format, mxint8 is one code without a scale"),
    Entry(
        BlockFormat(CATALOGUE["e2m1"].format, CATALOGUE["ue4m3"].format, 16, CATALOGUE["fp32"].format, "nvfp4"),
        "NVFP4",
        "NVIDIA PTX ISA 8.7, .kind::mxf4nvf4; NVIDIA, Introducing NVFP4 (2025)",
        "16 elements; the scale is not a power of two; a dot product leaves the tensor scales to what follows it",
    ),
]

#: Every named block format, by name.
BLOCKS = MappingProxyType({entry.name: entry for entry in _ENTRIES})
BLOCK_ALIASES = MappingProxyType({alias: entry.name for entry in _ENTRIES for alias in entry.aliases})
AMBIGUOUS_BLOCKS = MappingProxyType({"mxfp8": "mxfp8e4m3, mxfp8e5m2", "mxfp6": "mxfp6e3m2, mxfp6e2m3"})


def is_block(text: str) -> bool:
    """Whether `text` has the spelling of a block format (which may still be wrong), rather than of a plain one."""
    text = text.strip().lower()
    return "@" in text or text in BLOCKS or text in BLOCK_ALIASES or text in AMBIGUOUS_BLOCKS


def parse_block(text: str) -> BlockFormat:
    """The block format that `text` names.

    Raises
    ------
    UsageError
        Unknown name (with close matches), or parts that make no block.
    """
    if not isinstance(text, str):
        raise UsageError(f"block format: got {text!r}; {_HOW}")
    return _parse(text.strip().lower())


@lru_cache(maxsize=1024)
def _parse(text: str) -> BlockFormat:
    name = BLOCK_ALIASES.get(text, text)
    if name in BLOCKS:
        return BLOCKS[name].format
    if name in AMBIGUOUS_BLOCKS:
        raise UsageError(f"block format: got {text}, which means several; expected {AMBIGUOUS_BLOCKS[name]}")
    match = re.fullmatch(rf"([^@/]+)@([^@/]+)/(\d{{1,{LONGEST_NUMBER}}})(?:/([^@/]+))?", text)
    if not match:
        close = difflib.get_close_matches(text, [*BLOCKS, *BLOCK_ALIASES], n=3, cutoff=0.6)
        suggestion = f" (did you mean {', '.join(close)}?)" if close else ""
        plain = ", a plain format" if text in CATALOGUE or text in ALIASES else ""
        raise UsageError(f"block format: got {text or repr(text)}{plain}{suggestion}; {_HOW}")
    tensor = parse(match[4]) if match[4] else None
    return as_block(BlockFormat(parse(match[1]), parse(match[2]), int(match[3]), tensor))


def as_plain_or_block(given: Format | BlockFormat | str) -> Format | BlockFormat:
    """What `given` is or names; a name that both kinds have (``mxint8``) is that of the block format.

    A plain format of such a name goes by its spelling, so that its text is read back as what it is.

    Raises
    ------
    UsageError
    """
    if isinstance(given, BlockFormat) or (isinstance(given, str) and is_block(given)):
        return as_block(given)
    plain = as_format(given)
    return replace(plain, name=plain.spelling) if is_block(plain.name) else plain


def as_block(given: BlockFormat | str) -> BlockFormat:
    """The block format that `given` is or names, under its canonical name.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, BlockFormat):
        return parse_block(given)
    for entry in BLOCKS.values():
        if entry.format == given:
            return entry.format
    return (
        given
        if given.name == given.spelling
        else BlockFormat(given.element, given.scale, given.size, given.tensor_scale)
    )
