"""Names in the C++ files of a unit: what no step may be called, and the unit's own namespace."""

from __future__ import annotations

from fpgen.base.reserved import RESERVED
from fpgen.units import Unit

_KEYWORDS = """
alignas alignof and_eq asm auto bitand bitor bool catch char char16_t char32_t char8_t co_await co_return co_yield
compl concept const_cast consteval constexpr constinit decltype delete double dynamic_cast explicit false float
friend goto inline long mutable namespace noexcept not_eq nullptr operator or_eq reinterpret_cast requires short
sizeof static_assert static_cast switch template thread_local throw true try typeid typename using volatile wchar_t
xor_eq
"""
#: Of the standard library, and macros that compilers or headers of theirs may define.
_LIBRARY = "std errno linux unix i386 major minor min max near far stdin stdout stderr NULL EOF INFINITY NAN"
#: Of the model itself.
_OWN = "u64 bits bit part repeat parity inputs outputs state compute step reset in out now i all steps outcome"

#: Words that no variable of the model may be called, besides those of `fpgen.base.reserved`.
WORDS = frozenset(f"{_KEYWORDS} {_LIBRARY} {_OWN}".split())


def namespace(unit: Unit) -> str:
    """The unit's name; with an underscore where that is a word of C++, which it may be as `module_name` only."""
    return f"{unit.name}_" if unit.name in WORDS | RESERVED else unit.name
