"""Reading a Liberty file into a `Library`: units made one, tables by their templates, timing that STA uses.

A parsed library is kept in the cache under the hash of the file's bytes, so that the next process has it in
a fraction of the time.
"""

import gzip
import io
import math
import pickle
import re
import zlib
from pathlib import Path

import numpy as np

from fpgen.cache import cache_dir, digest, write_whole
from fpgen.errors import RunFailure, UsageError
from fpgen.ppa.cells import Arc, Cell, FlipFlop, Floats, InternalPower, Library, Pin, Setup, Table
from fpgen.ppa.function import python_expression
from fpgen.ppa.liberty_text import Group, parse
from fpgen.ppa.wireload import WireLoad

# A new number when the meaning of the cached objects changes.
_VERSION = "6"
_SKIP = frozenset(("internal_power", "pg_pin", "test_cell", "normalized_driver_waveform",
                   "receiver_capacitance", "output_current_rise", "output_current_fall", "dynamic_current"))
# State of other kinds than a flip-flop's; a `test_cell` is not one.
_OTHER_STATES = ("latch", "statetable", "ff_bank", "latch_bank")
_GZIP = b"\x1f\x8b"
_LARGEST = 1 << 30  # bytes of unpacked text
_SLEW_AXES = ("input_net_transition", "input_transition_time", "constrained_pin_transition")
_SKIPPED_KINDS = ("hold", "recovery", "removal", "clear", "preset", "min_pulse", "minimum_period", "skew",
                  "non_seq", "nochange", "min_clock", "three_state_disable")
_SECONDS = {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6}
_FARADS = {"ff": 1.0, "pf": 1e3, "nf": 1e6}
_OHMS = {"ohm": 1e-3, "kohm": 1.0, "mohm": 1e3}
_WATTS = {"pw": 1e-3, "nw": 1.0, "uw": 1e3, "mw": 1e6}


def read_bytes(path: Path | str) -> bytes:
    """The text of a Liberty file, unpacked when it is gzip.

    Raises
    ------
    UsageError
        When there is no such file, or it is damaged or far too large.
    RunFailure
        When it is there and cannot be read.
    """
    return _unpacked(_raw(path), path)


def plain_file(path: Path | str) -> Path:
    """A file on disk with the library's plain text: the file itself, or its unpacked copy in the cache.

    Raises
    ------
    UsageError, RunFailure
        As `read_bytes`.
    """
    path = Path(path)
    raw = _raw(path)
    if raw[:2] != _GZIP:
        return path.absolute()
    target = cache_dir("liberty") / f"{digest(raw)}.lib"
    if not target.exists():
        write_whole(target, _unpacked(raw, path))
    return target


def _raw(path: Path | str) -> bytes:
    try:
        if Path(path).is_dir():
            raise UsageError(f"Liberty file {path}: a directory; a Liberty file (gzip accepted) is allowed")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"Liberty file {path}: not found; a Liberty file (gzip accepted) is allowed") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise RunFailure(f"cannot read the Liberty file {path}: {getattr(error, 'strerror', error)}") from None


def _unpacked(raw: bytes, path: Path | str) -> bytes:
    if raw[:2] != _GZIP:
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"Liberty file {path}: damaged or cut short gzip: {error}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"Liberty file {path}: more than {_LARGEST >> 20} MiB unpacked; less is allowed")
    return data


def load(path: Path | str, *, power: bool = False) -> Library:
    """The library of a Liberty file (gzip accepted), from the cache when it was read before.

    Parameters
    ----------
    path : path
    power : bool
        Read the internal power tables and the leakage of each state too.

    Raises
    ------
    UsageError
        When there is no such file, or it is no Liberty file, or is damaged or cut short.
    RunFailure
        When it is there and cannot be read.
    """
    raw = _raw(path)
    key = digest(_VERSION, "power" if power else "timing", raw)
    kept = cache_dir("liberty") / f"{key}.pickle"
    try:
        library = pickle.loads(kept.read_bytes())
        if isinstance(library, Library):
            return library
    except Exception:  # not there, or not whole, or of another version of numpy: read the file itself
        pass
    text = _unpacked(raw, path).decode("utf-8", errors="replace")
    library = from_text(text, str(path), power=power, content_hash=digest(raw))
    write_whole(kept, pickle.dumps(library, protocol=5))
    return library


def from_text(text: str, source: str = "Liberty text", *, power: bool = False,
              content_hash: str | None = None) -> Library:
    """The library of a Liberty text.

    Raises
    ------
    UsageError
        When the text is no Liberty library, is cut short, or has a figure or table that cannot be read.
    """
    tree = parse(text, source, skip=_SKIP - {"internal_power"} if power else _SKIP)
    try:
        return _Reader(tree, source, power).library(content_hash or digest(text))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise UsageError(f"{source}: cannot make sense of the library: {error}") from None


class _Reader:
    """State while one tree is read: units, templates, and the axes that were seen before."""

    def __init__(self, tree: Group, source: str, power: bool) -> None:
        self.tree = tree
        self.source = source
        self.power = power
        attributes = tree.attributes
        self.time = _unit(attributes.get("time_unit", "1ns"), _SECONDS)
        parts = attributes.get("capacitive_load_unit", "1,pf").replace('"', "").split(",")
        self.cap = _number(parts[0]) * _FARADS[parts[1].strip().lower()]
        self.volt = _unit(attributes.get("voltage_unit", "1V"), {"v": 1.0, "mv": 1e-3})
        self.watt = _unit(attributes.get("leakage_power_unit", "1nW"), _WATTS)
        self.templates = {word: group.attributes for group in tree.groups for word in group.words()
                          if group.name in ("lu_table_template", "power_lut_template")}
        self.axes: dict[tuple[str, float], Floats] = {}

    def library(self, content_hash: str) -> Library:
        top = self.tree.attributes
        corner = (f"process {top.get('nom_process', '?')}, {top.get('nom_voltage', '?')} V, "
                  f"{top.get('nom_temperature', '?')} C")
        cells = {}
        for group in self.tree.named("cell"):
            cell = self._cell(group)
            cells[cell.name] = cell
        name = (self.tree.words() or [Path(self.source).name])[0]
        if not cells:
            raise UsageError(f"{self.source}: the library {name} has no cells")
        return Library(name, self.source, content_hash, corner, cells, self._voltage(), self._wire_loads())

    def _voltage(self) -> float:
        """Nominal supply in V."""
        given = self.tree.attributes.get("nom_voltage")
        return float("nan") if given is None else _number(given) * self.volt

    def _wire_loads(self) -> dict[str, WireLoad]:
        """The wire load models that state a length for some fanout."""
        kohm = _unit(self.tree.attributes.get("pulling_resistance_unit", "1kohm"), _OHMS)
        found = {}
        for group in self.tree.named("wire_load"):
            given = {key: _number(group.attributes.get(key, "0")) for key in ("slope", "capacitance", "resistance")}
            points = sorted(tuple(_numbers(text))[:2] for text in group.every("fanout_length"))
            if points and all(len(point) == 2 and point[0] > 0 for point in points):
                name = (group.words() or [""])[0]
                found[name] = WireLoad(name, tuple((fanout, length) for fanout, length in points), given["slope"],
                                       given["capacitance"] * self.cap, given["resistance"] * kohm)
        return found

    def _cell(self, group: Group) -> Cell:
        name = (group.words() or [""])[0]
        pins: dict[str, Pin] = {}
        arcs: list[Arc] = []
        setups: list[Setup] = []
        power: list[InternalPower] = []
        try:
            for item in group.named("pin"):
                for word in item.words():
                    pins[word] = self._pin(word, item)
                    for timing in item.named("timing"):
                        self._timing(word, pins[word], timing, arcs, setups)
                    power += [self._power(word, entry) for entry in item.named("internal_power")]
            area = _number(group.attributes.get("area", "0"))
            leakage = self._leakage(group)
        except (ValueError, KeyError, IndexError) as error:
            raise UsageError(f"{self.source}: cell {name}: {error}") from None
        return Cell(name, area, leakage, group.attributes.get("dont_use", "").lower() in ("true", "1"), pins,
                    tuple(arcs), tuple(setups), _flipflop(group),
                    any(group.named(kind) for kind in _OTHER_STATES), tuple(power),
                    self._leakages(group) if self.power else ())

    def _pin(self, name: str, group: Group) -> Pin:
        given = group.attributes
        default = self.tree.attributes.get("default_input_pin_cap", "0")
        direction = given.get("direction", "input")
        plain = _number(given.get("capacitance", default if direction == "input" else "0"))
        caps = []
        for edge in ("rise", "fall"):
            value = _number(given.get(f"{edge}_capacitance", plain))
            limits = given.get(f"{edge}_capacitance_range")
            caps.append(max(_numbers(limits)) if limits else value)
        function = given.get("function", "")
        if function:
            python_expression(function)
        return Pin(name, direction, caps[0] * self.cap, caps[1] * self.cap, function,
                   given.get("clock", "").lower() == "true")

    def _timing(self, word: str, pin: Pin, group: Group, arcs: list[Arc], setups: list[Setup]) -> None:
        given = group.attributes
        kind = given.get("timing_type", "combinational")
        if kind.startswith(_SKIPPED_KINDS):
            return
        tables = {table.name: table for table in group.groups}
        for related in given.get("related_pin", "").split():
            if kind.startswith("setup"):
                setups.append(Setup(word, related, kind.removeprefix("setup_"),
                                    *(self._table(tables.get(f"{edge}_constraint"), self.time, self.time)
                                      for edge in ("rise", "fall"))))
                continue
            sense = given.get("timing_sense") or _sense(pin.function, related)
            delays = [self._table(tables.get(name), self.cap, self.time)
                      for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")]
            arcs.append(Arc(related, word, sense, kind, given.get("when", ""), *delays))

    def _power(self, word: str, group: Group) -> InternalPower:
        energy = self.cap * self.volt * self.volt
        tables = {table.name: table for table in group.groups}
        both = tables.get("power")
        rise, fall = (self._table(tables.get(name, both), self.cap, energy) for name in ("rise_power", "fall_power"))
        return InternalPower(word, group.attributes.get("related_pin", ""), group.attributes.get("when", ""),
                             rise, fall, group.attributes.get("related_pg_pin", ""))

    def _leakage(self, group: Group) -> float:
        """The cell's stated leakage, else the mean over its states."""
        if "cell_leakage_power" in group.attributes:
            return _number(group.attributes["cell_leakage_power"]) * self.watt
        states: dict[str, list[float]] = {}
        for item in group.named("leakage_power"):
            supply = item.attributes.get("related_pg_pin", "")
            states.setdefault(supply, []).append(_number(item.attributes.get("value", "0")))
        return max((sum(values) / len(values) for values in states.values()), default=0.0) * self.watt

    def _leakages(self, group: Group) -> tuple[tuple[str, float], ...]:
        """Leakage in nW of each state (`when`, empty for a cell that has one figure), its supplies summed."""
        states: dict[str, float] = {}
        for item in group.named("leakage_power"):
            when = item.attributes.get("when", "")
            states[when] = states.get(when, 0.0) + _number(item.attributes.get("value", "0")) * self.watt
        return tuple(states.items())

    def _table(self, group: Group | None, other: float, scale: float) -> Table | None:
        """A table in ps (or fJ); `other` scales its second axis."""
        if group is None or "values" not in group.attributes:
            return None
        given = group.attributes
        template = self.templates.get((group.words() or ["scalar"])[0], {})
        values = np.array(_numbers(given["values"])) * scale
        if not np.isfinite(values).all():
            raise ValueError(f"table {group.name} has a value that is not finite")
        axes: list[Floats] = [np.zeros(1), np.zeros(1)]
        order: list[bool] = []
        for k in (1, 2, 3):
            index = given.get(f"index_{k}") or template.get(f"index_{k}")
            variable = template.get(f"variable_{k}")
            if index is None or (variable is None and k > 2):
                continue
            first = variable in _SLEW_AXES if variable is not None else k == 1
            if k == 3 or len(order) == 2:
                raise ValueError(f"table {group.name} has more than two axes")
            axes[0 if first else 1] = self._axis(index, self.time if first else other)
            order.append(first)
        if len(order) == 2 and order[0] == order[1]:
            raise ValueError(f"table {group.name} has the same axis twice")
        if values.size != len(axes[0]) * len(axes[1]):
            raise ValueError(f"table {group.name} has {values.size} values for "
                             f"{len(axes[0])} x {len(axes[1])} points")
        if len(order) == 2 and not order[0]:
            return Table(axes[0], axes[1], np.ascontiguousarray(values.reshape(len(axes[1]), len(axes[0])).T))
        return Table(axes[0], axes[1], values.reshape(len(axes[0]), len(axes[1])))

    def _axis(self, text: str, scale: float) -> Floats:
        key = (text, scale)
        if key not in self.axes:
            axis = np.array(_numbers(text)) * scale
            if axis.size == 0 or not (np.diff(axis) > 1e-9).all() or not np.isfinite(axis).all():
                raise ValueError(f"the axis {text[:60]!r} does not rise")
            self.axes[key] = axis
        return self.axes[key]


def _number(text: str | float) -> float:
    """A finite number."""
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"the figure {text!r} is not finite")
    return found


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.replace('"', " ").replace(",", " ").split()]


def _unit(text: str, scales: dict[str, float]) -> float:
    match = re.fullmatch(r"\s*([\d.eE+-]*)\s*([a-zA-Z]+)\s*", text)
    if match is None or match[2].lower() not in scales:
        raise ValueError(f"cannot read the unit {text!r}; allowed are {', '.join(scales)}")
    return _number(match[1] or 1) * scales[match[2].lower()]


def _flipflop(group: Group) -> FlipFlop | None:
    found = group.named("ff")
    if not found:
        return None
    state, inverse = (*found[0].words(), "", "")[:2]
    given = found[0].attributes
    return FlipFlop(state, inverse, *(given.get(key, "") for key in ("clocked_on", "next_state", "clear", "preset")))


def _sense(function: str, pin: str) -> str:
    """Unateness of a function in one pin, for the arcs whose library does not state it."""
    if not function:
        return "non_unate"
    from fpgen.ppa.function import truth_table

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
