"""Words of a Liberty text as figures, names and pins."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from .cells import FlipFlop
from .function import python_expression
from .liberty_text import LibertyGroup

_BUS_WORD = re.compile(r"[A-Za-z_]\w*(?![\w\[])")
#: Bits of a bus.
WIDEST_BUS = 1 << 12


def figure(group: LibertyGroup, key: str, default: str, least: float = -math.inf) -> float:
    """A finite number given in a group."""
    text = group.attributes.get(key, default)
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= least):
        above = "" if least == -math.inf else f" from {least:g} on"
        raise ValueError(f"{key}: got {text!r}; expected a finite number{above}")
    return found


def is_true(group: LibertyGroup, key: str) -> bool:
    """Whether an attribute says so; one that is missing does not."""
    return group.attributes.get(key, "").lower() in ("true", "1")


def numbers(text: str, what: str) -> list[float]:
    """The numbers of a list in quotes."""
    return floats(words(text), what)


def shortest(text: str) -> str:
    """A number without trailing zeros; other text as it is."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def words(text: str) -> list[str]:
    """The words of a list in quotes."""
    return text.replace('"', " ").replace(",", " ").split()


def floats(texts: Iterable[str], what: str) -> list[float]:
    """Words as numbers; `what` is in the message about one that is not."""
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def scale_of(text: str, scales: dict[str, float]) -> float:
    """Of a unit such as ``1ns``: the factor to the unit in which `scales` are given."""
    match = re.fullmatch(r"\s*([\d.eE+-]*)\s*([a-zA-Z]+)\s*", text)
    if match is None or match[2].lower() not in scales:
        raise ValueError(f"unit: got {text.strip()!r}; expected a number and one of {', '.join(scales)}")
    found = float(match[1] or 1) * scales[match[2].lower()]
    if not 0 < found < math.inf:
        raise ValueError(f"unit: got {text.strip()!r}; expected more than 0")
    return found


def bundled(buses: Mapping[str, tuple[LibertyGroup, Sequence[str]]]) -> list[tuple[str, LibertyGroup]]:
    """The pins inside buses and bundles: each with what its bus says of all of them."""

    def own(text: str, place: int, among: int) -> str:
        """A function or a list of pins of buses, as that of their members at one place of `among`."""
        return _BUS_WORD.sub(
            lambda word: buses[word[0]][1][place] if word[0] in buses and len(buses[word[0]][1]) == among else word[0],
            text,
        )

    found = []
    for item, members in buses.values():
        inner: dict[str, list[LibertyGroup]] = {}
        for pin in item.named("pin"):
            for word in (word for name in pin.words() for word in numbered(name)):
                inner.setdefault(word, []).append(pin)
        for place, member in enumerate(members):
            pin = LibertyGroup("pin", member)
            for source in (item, *inner.get(member, ())):
                pin.attributes.update(
                    {
                        key: own(text, place, len(members)) if key in ("function", "three_state") else text
                        for key, text in source.attributes.items()
                    }
                )
                for group in source.groups:
                    if group.name == "pin":
                        continue
                    copy = LibertyGroup(group.name, group.args)
                    copy.attributes = {
                        key: own(text, place, len(members)) if key in ("related_pin", "when") else text
                        for key, text in group.attributes.items()
                    }
                    copy.groups = group.groups
                    pin.groups.append(copy)
            found.append((member, pin))
    return found


def numbered(name: str) -> list[str]:
    """The pins of a part of a bus, `A[3:0]`; of any other name, itself."""
    part = re.fullmatch(r"(.*)\[(\d+):(\d+)\]", name)
    if part is None or abs(int(part[2]) - int(part[3])) >= WIDEST_BUS:
        return [name]
    first, last = int(part[2]), int(part[3])
    step = 1 if last >= first else -1
    return [f"{part[1]}[{number}]" for number in range(first, last + step, step)]


def flipflop(group: LibertyGroup) -> FlipFlop | None:
    found = group.named("ff")
    if not found:
        return None
    state, inverse = (*found[0].words(), "", "")[:2]
    given = found[0].attributes
    return FlipFlop(state, inverse, *(given.get(key, "") for key in ("clocked_on", "next_state", "clear", "preset")))


def sense_of(function: str, pin: str) -> str:
    """Unateness of a function in one pin, for the arcs whose library does not state it."""
    if not function:
        return "non_unate"
    from .function import truth_table

    names = list(python_expression(function)[1])
    if pin not in names or len(names) > 10:
        return "non_unate"
    names.remove(pin)
    size = 1 << len(names)
    table = truth_table(function, [*names, pin])
    low, high = table & ((1 << size) - 1), table >> size
    if low & ~high == 0:
        return "positive_unate"
    return "negative_unate" if high & ~low == 0 else "non_unate"
