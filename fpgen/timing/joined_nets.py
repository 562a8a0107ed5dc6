"""Numbers of nets, and which of them an assign, a port or a supply pin joins: a union-find with names."""

import re

from fpgen.base.errors import RunFailure

from .netlist import ONE, UNKNOWN, ZERO

_MADE_UP = re.compile(r"(.*\.)?_\d+_")


class JoinedNets:
    """Nets in the order in which they were met; the constants are the first three.

    Parameters
    ----------
    source : str
        What the netlist was read from, for messages.

    Attributes
    ----------
    names : list of str
        By number.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = ["1'b0", "1'b1", "1'bx"]
        self._parent = [ZERO, ONE, UNKNOWN]

    def __len__(self) -> int:
        return len(self.names)

    def add(self, name: str) -> int:
        """The number of a new net."""
        number = len(self.names)
        self._parent.append(number)
        self.names.append(name)
        return number

    def find(self, number: int) -> int:
        """The number that a net and all that are joined with it share."""
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make two nets one.

        Raises
        ------
        RunFailure
            When that is both constants.
        """
        low, high = self.find(one), self.find(other)
        if low > high:
            low, high = high, low
        if high <= ONE and low != high:
            name = next((self.names[net] for net in (one, other) if net > UNKNOWN), "a net")
            raise RunFailure(f"{self.source}: the net {name}: got both constants, 0 and 1; expected one driver")
        self._parent[high] = low

    def best_names(self) -> list[str]:
        """A name for each number: an alias given in the source beats a number that the synthesiser made up."""
        best = list(self.names)
        for number, name in enumerate(self.names):
            root = self.find(number)
            if root > UNKNOWN and _MADE_UP.fullmatch(best[root]) and not _MADE_UP.fullmatch(name):
                best[root] = name
        return best
