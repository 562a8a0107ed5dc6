"""How vectors lie in a stream: the one place that the packer and the wrapper both read.

A row holds one vector for each lane: first the inputs of every lane, then what
is expected of every lane. Every field is big-endian in 1, 2, 4 or 8 bytes::

    row = in[0] in[1] ... in[L-1] | out[0] out[1] ... out[L-1]
    in  = operands and controls, in port order      out = result, flags
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import UsageError
from ..units.ports import Port


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


@dataclass(frozen=True)
class Layout:
    """The rows of one unit in `lanes` lanes; `inputs` and `outputs` are its travelling ports."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    lanes: int

    @classmethod
    def of(cls, unit, lanes: int) -> Layout:
        return cls(tuple(p for p in unit.ports if p.travels_in), tuple(p for p in unit.ports if p.travels_out), lanes)

    @property
    def in_bytes(self) -> int:
        """Bytes of one lane's inputs."""
        return sum(field_bytes(port.width) for port in self.inputs)

    @property
    def out_bytes(self) -> int:
        """Bytes of one lane's expected outputs."""
        return sum(field_bytes(port.width) for port in self.outputs)

    @property
    def row_bytes(self) -> int:
        return self.lanes * (self.in_bytes + self.out_bytes)

    @cached_property
    def dtype(self) -> np.dtype:
        """One row as a numpy record."""

        def fields(ports):
            return np.dtype([(port.name, f">u{field_bytes(port.width)}") for port in ports])

        return np.dtype([("in", fields(self.inputs), (self.lanes,)), ("out", fields(self.outputs), (self.lanes,))])

    def pack(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Rows of records from one array per port, of equal shapes.

        Vectors (n,): vector i goes to row ``i // lanes``, lane ``i % lanes``. Sequences (sums, steps): each stays in
        one lane, the lanes run side by side.

        Raises
        ------
        ValueError
            When the vectors (or sums) do not fill whole rows.
        """
        shape = next(iter(inputs.values())).shape
        if shape[0] % self.lanes:
            raise ValueError(f"{shape[0]} vectors or sums do not fill rows of {self.lanes}")
        rows = math.prod(shape) // self.lanes
        packed = np.empty(rows, self.dtype)
        for part, ports, values in (("in", self.inputs, inputs), ("out", self.outputs, outputs)):
            for port in ports:
                array = values[port.name]
                if len(shape) == 2:
                    array = array.reshape(-1, self.lanes, shape[1]).swapaxes(1, 2)
                packed[part][port.name] = array.reshape(rows, self.lanes)
        return packed

    def index(self, position: int, shape: tuple[int, ...]) -> int:
        """Where in the flattened arrays of this shape the vector at this position of the stream stood."""
        if len(shape) == 1:
            return position
        row, lane = divmod(position, self.lanes)
        block, step = divmod(row, shape[1])
        return (block * self.lanes + lane) * shape[1] + step

    def split_outputs(self, word: int) -> dict[str, int]:
        """The outputs of one lane, from the number in which they lie as in a row."""
        found = {}
        for port in reversed(self.outputs):
            found[port.name] = word & ((1 << port.width) - 1)
            word >>= 8 * field_bytes(port.width)
        return dict(reversed(found.items()))

    def slices(self, part: str) -> list[tuple[int, Port, int]]:
        """Where each field lies in the row taken as one number: (lane, port, index of the lowest bit)."""
        ports = self.inputs if part == "in" else self.outputs
        at = 0 if part == "in" else self.lanes * self.in_bytes
        found = []
        for lane in range(self.lanes):
            for port in ports:
                at += field_bytes(port.width)
                found.append((lane, port, 8 * (self.row_bytes - at)))
        return found
