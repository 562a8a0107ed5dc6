"""The largest of many unsigned numbers: digit by digit from the top, all numbers side by side.

A digit of `d` bits is decoded into "at least 1, 2, ... 2**d - 1"; for each level an OR over all numbers that are still
in the race gives the largest number's digit, and those that fall short of it leave the race::

    number i         digit >= k             OR over i            race goes on for i
    x[i]   ------->  reach[i][k]  ----AND race[i]---->  top[k]  ---->  reach[i][k] or not top[k], for every k

So the depth is that of one OR tree for each digit, where a tree of comparators has one comparison for each doubling
of the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fpgen.rtl.graph import Graph, Node

#: Bits of a digit: wider digits mean fewer OR trees, and twice as many levels for every bit.
DIGIT = 5
#: So many numbers, or fewer, are compared in pairs.
FEW = 4


def largest(g: Graph, numbers: Sequence[Node], digit: int | None = None, name: str = "largest") -> Node:
    """The largest of numbers of equal width.

    Parameters
    ----------
    digit : int, optional
        Bits of a digit; 0 for a tree of comparators. Default: by how many there are.
    """
    if digit is None:
        digit = DIGIT if len(numbers) > FEW else 0
    if len(numbers) == 1 or not digit:
        return _by_comparison(g, numbers, name)
    width = numbers[0].width
    # Digits of nearly the same width, so that none is decoded further than it needs to be.
    count = -(-width // digit)
    borders = [width * k // count for k in range(count, -1, -1)]
    race: list[Node] | None = None
    found: list[Node] = []
    for high, low in pairwise(borders):
        digits = [number[low:high] for number in numbers]
        levels = range(1, 1 << (high - low))
        reach = [[_at_least(part, k) for k in levels] for part in digits]
        running = reach
        if race is not None:
            running = [[bit & runs for bit in bits] for bits, runs in zip(reach, race, strict=True)]
        top = [g.step(f"{name}_reaches", g.cat(*[bits[k] for bits in running]).any()) for k in range(len(levels))]
        found.insert(0, _encoded(g, top, high - low))
        if low:
            misses = [~bit for bit in top]
            race = [
                g.cat(
                    *[bit | miss for bit, miss in zip(bits, misses, strict=True)], *([] if race is None else [race[i]])
                ).all()
                for i, bits in enumerate(reach)
            ]
    return g.step(name, g.cat(*found))


def _at_least(word: Node, bound: int) -> Node:
    """1 when the word is at least `bound` (1 or more); the ends of the same words are shared."""
    top, rest = word[-1], bound - (1 << (word.width - 1))
    if word.width == 1:
        return top
    lower = word[:-1]
    if rest > 0:
        return top & _at_least(lower, rest)
    return top if rest == 0 else top | _at_least(lower, bound)


def _encoded(g: Graph, reaches: Sequence[Node], width: int) -> Node:
    """The number that reaches these levels: the bit of weight w is 1 from an odd multiple of w to the next even one."""
    bits = []
    for i in range(width):
        weight = 1 << i
        runs = []
        for start in range(weight, 1 << width, 2 * weight):
            end = start + weight
            run = reaches[start - 1]
            runs.append(run if end == 1 << width else run & ~reaches[end - 1])
        bits.append(g.cat(*runs).any())
    return g.cat(*bits)


def _by_comparison(g: Graph, numbers: Sequence[Node], name: str) -> Node:
    level, left = 0, list(numbers)
    while len(left) > 1:
        level += 1
        left = [
            g.step(f"{name}_{level}", g.mux(left[i].less(left[i + 1]), left[i + 1], left[i]))
            if i + 1 < len(left)
            else left[i]
            for i in range(0, len(left), 2)
        ]
    return left[0]
