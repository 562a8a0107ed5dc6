"""What was passed over while a netlist was read, collected into one line for each kind."""

from collections.abc import Iterable

#: Names in a note; the others are counted.
SHOWN = 3


class NetlistNotes:
    """Kinds of things with the names they are true of."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, what: str, *names: str) -> None:
        """Note `what` of these names."""
        self._found.setdefault(what, []).extend(names)

    def lines(self) -> Iterable[str]:
        """One line for each kind, in the order in which the kinds were met."""
        for what, names in self._found.items():
            unique = list(dict.fromkeys(names))
            more = f" and {len(unique) - SHOWN} more" if len(unique) > SHOWN else ""
            yield f"{what}: {', '.join(unique[:SHOWN])}{more}"
