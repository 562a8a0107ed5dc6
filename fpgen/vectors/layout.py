"""How vectors lie in a stream: the one place that the packer and the wrapper both read.

A row holds one vector for each lane: first the inputs of every lane, then what
is expected of every lane. Every field is big-endian in 1, 2, 4 or 8 bytes; a port
that carries an array has a field for each element, in row-major order::

    row = in[0] in[1] ... in[L-1] | out[0] out[1] ... out[L-1]
    in  = operands and controls, in port order      out = results, flags
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.units.base import Unit
from fpgen.units.ports import Port

#: One code, or the codes of an array port, flat.
Codes = int | tuple[int, ...]


def field_bytes(width: int) -> int:
    """Bytes that a field of `width` bits takes.

    Raises
    ------
    UsageError
        For more than 64 bits.
    """
    for size in (1, 2, 4, 8):
        if width <= 8 * size:
            return size
    raise UsageError(f"a port of {width} bits; vectors of at most 64 bits a port are supported")


def port_bytes(port: Port) -> int:
    """Bytes that the fields of a port take."""
    return port.count * field_bytes(port.element_width)


def batch_shape(port: Port, array: np.ndarray) -> tuple[int, ...]:
    """The leading axes of an array of this port's codes."""
    return array.shape[: array.ndim - len(port.shape)]


def join(port: Port, elements: Iterable[int]) -> int:
    """The number on the pins for these codes: the first in the lowest bits."""
    return sum(code << (port.element_width * i) for i, code in enumerate(elements))


def split(port: Port, word: int) -> list[int]:
    """The codes in the number on the pins."""
    mask = (1 << port.element_width) - 1
    return [word >> (port.element_width * i) & mask for i in range(port.count)]


def words(port: Port, array: np.ndarray) -> list[int]:
    """The numbers on the pins, one for each vector of an array of shape ``(n, *port.shape)``."""
    if not port.shape:
        codes: list[int] = array.tolist()
        return codes
    return [join(port, row) for row in array.reshape(len(array), port.count).tolist()]


@dataclass(frozen=True)
class Layout:
    """The rows of one unit in `lanes` lanes; `inputs` and `outputs` are its travelling ports."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    lanes: int

    @classmethod
    def of(cls, unit: Unit, lanes: int) -> Layout:
        return cls(tuple(p for p in unit.ports if p.travels_in), tuple(p for p in unit.ports if p.travels_out), lanes)

    @property
    def in_bytes(self) -> int:
        """Bytes of one lane's inputs."""
        return sum(port_bytes(port) for port in self.inputs)

    @property
    def out_bytes(self) -> int:
        """Bytes of one lane's expected outputs."""
        return sum(port_bytes(port) for port in self.outputs)

    @property
    def row_bytes(self) -> int:
        return self.lanes * (self.in_bytes + self.out_bytes)

    @cached_property
    def dtype(self) -> np.dtype:
        """One row as a numpy record."""

        def fields(ports: Iterable[Port]) -> np.dtype:
            return np.dtype([(port.name, f">u{field_bytes(port.element_width)}", port.shape) for port in ports])

        return np.dtype([("in", fields(self.inputs), (self.lanes,)), ("out", fields(self.outputs), (self.lanes,))])

    def pack(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Rows of records from one array per port, of equal leading axes; the last ones are those of the port.

        Vectors (n,): vector i goes to row ``i // lanes``, lane ``i % lanes``. Sequences (sums, steps): each stays in
        one lane, the lanes run side by side.

        Raises
        ------
        ValueError
            When the vectors (or sums) do not fill whole rows.
        """
        first = self.inputs[0]
        shape = batch_shape(first, inputs[first.name])
        if shape[0] % self.lanes:
            raise ValueError(f"{shape[0]} vectors or sums do not fill rows of {self.lanes}")
        rows = math.prod(shape) // self.lanes
        packed = np.empty(rows, self.dtype)
        for part, ports, values in (("in", self.inputs, inputs), ("out", self.outputs, outputs)):
            for port in ports:
                array = values[port.name]
                if len(shape) == 2:
                    array = array.reshape(-1, self.lanes, shape[1], *port.shape).swapaxes(1, 2)
                packed[part][port.name] = array.reshape(rows, self.lanes, *port.shape)
        return packed

    def index(self, position: int, shape: tuple[int, ...]) -> int:
        """Where in the flattened arrays of this shape the vector at this position of the stream stood."""
        if len(shape) == 1:
            return position
        row, lane = divmod(position, self.lanes)
        block, step = divmod(row, shape[1])
        return (block * self.lanes + lane) * shape[1] + step

    def split_outputs(self, word: int) -> dict[str, Codes]:
        """The outputs of one lane, from the number in which they lie as in a row."""
        found: dict[str, Codes] = {}
        for port in reversed(self.outputs):
            codes = []
            for _ in range(port.count):
                codes.append(word & ((1 << port.element_width) - 1))
                word >>= 8 * field_bytes(port.element_width)
            found[port.name] = tuple(reversed(codes)) if port.shape else codes[0]
        return dict(reversed(found.items()))

    def slices(self, part: str) -> list[tuple[int, Port, list[int]]]:
        """Where fields lie in the row taken as one number: (lane, port, index of the lowest bit of each element)."""
        ports = self.inputs if part == "in" else self.outputs
        at = 0 if part == "in" else self.lanes * self.in_bytes
        found = []
        for lane in range(self.lanes):
            for port in ports:
                lowest = []
                for _ in range(port.count):
                    at += field_bytes(port.element_width)
                    lowest.append(8 * (self.row_bytes - at))
                found.append((lane, port, lowest))
        return found
