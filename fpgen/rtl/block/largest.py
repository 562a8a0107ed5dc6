"""The largest of many unsigned words, a digit of two bits at a time, from the top.

At each digit the words that still lead say, in a thermometer code, how large their digit is; the OR over all words is
the largest digit, and words with a smaller one drop out::

    digit      >=1 >=2 >=3
    word 0 (2)  1   1   0        leads no more
    word 1 (3)  1   1   1
    word 2 (0)  0   0   0        leads no more
    largest     1   1   1

The delay grows with the digits and with the logarithm of the number of words, where a tree of comparators takes
a comparison and a multiplexer for every doubling of that number.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Node

DIGIT = 2


def largest(g: Graph, words: Sequence[Node], name: str = "largest", digit: int = DIGIT) -> Node:
    """The largest of `words`, which have equal widths."""
    if len(words) == 1:
        return words[0]
    leads = [g.const(1, 1)] * len(words)
    found: list[Node] = []
    for high in range(words[0].width, 0, -digit):
        low = max(high - digit, 0)
        codes = [_thermometer(word[low:high]) for word in words]
        most = [g.step(f"{name}_from_{low}_reaches_{at + 1}",
                       g.tree("or", [code[at] & lead for code, lead in zip(codes, leads, strict=True)]))
                for at in range(len(codes[0]))]
        found.insert(0, binary(g, most, high - low))
        if low:
            leads = [lead & g.tree("and", [bit | ~reached for bit, reached in zip(code, most, strict=True)])
                     for code, lead in zip(codes, leads, strict=True)]
    return g.step(name, g.cat(*found))


def _thermometer(digit: Node) -> list[Node]:
    """``digit >= 1``, ``digit >= 2`` and so on."""
    if digit.width == 2:
        return [digit.any(), digit[1], digit.all()]
    return [~digit.less(value) for value in range(1, 1 << digit.width)]


def binary(g: Graph, code: list[Node], width: int) -> Node:
    """How many bits of a thermometer code are set, of at most ``2**width - 1``."""
    bits = []
    for place in range(width):
        step = 1 << place
        # The bit is set between odd and even multiples of its weight.
        runs = []
        for start in range(step, len(code) + 1, 2 * step):
            end = start + step
            runs.append(code[start - 1] & ~code[end - 1] if end <= len(code) else code[start - 1])
        bits.append(g.tree("or", runs) if runs else g.const(0, 1))
    return g.cat(*bits)
