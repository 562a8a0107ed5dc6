"""Glitches: a hazard worked out by hand, and a plain event-driven simulation."""

import heapq

import numpy as np
import pytest
from power_cells import TEXT, bits

from fpgen.library import liberty
from fpgen.library.function import compile_function
from fpgen.power import glitches, toggles
from fpgen.timing import netlist


@pytest.fixture(scope="module")
def library():
    return liberty.from_text(TEXT, power=True)


def test_a_hazard_by_hand(library):
    text = """module m(a, y); input a; output y; wire n1, n2, n3;
      INV u1 (.A(a), .Y(n1)); INV u2 (.A(n1), .Y(n2)); INV u3 (.A(n2), .Y(n3));
      NAND u4 (.A(a), .B(n3), .Y(y)); endmodule"""
    flat = netlist.from_text(text)
    simulator = toggles.Simulator(flat, library, 1)
    for inputs in bits({"a": 0}):
        simulator.drive(inputs)
        simulator.settle()
    rise, fall = (
        glitches.count(simulator, steps, bits({"a": level})[0])
        for steps, level in ((np.ones(4, dtype=np.int64), 1), (np.ones(4, dtype=np.int64), 0))
    )
    # a rises: y falls until n3 has followed, and rises again. a falls: y stays at 1.
    assert rise[flat.outputs["y"]].tolist() == [2 * 64] and not fall.any() and rise.sum() == 2 * 64
    # A NAND of delay 4 swallows the pulse of 3 steps, one of delay 3 does not.
    for steps, edges in ((4, 0), (3, 128)):
        assert glitches.count(simulator, np.array([1, 1, 1, steps]), bits({"a": 1})[0]).sum() == edges
        glitches.count(simulator, np.array([1, 1, 1, steps]), bits({"a": 0})[0])


def events(flat, library, steps, state, inputs):
    """Edges of each net in a plain event-driven simulation with inertial delays: one stream, one clock."""
    gates = [
        (compile_function(library.cells[item.cell].pins["Y"].function)[0], item.pins, int(delay))
        for item, delay in zip(flat.instances, steps, strict=True)
    ]
    values, counts, pending, heap = dict(state), dict.fromkeys(state, 0), {}, []
    moved = [net for net, bit in inputs.items() if values[net] != bit]
    values.update(inputs)
    now = serial = 0
    while moved:
        for number, (function, pins, delay) in enumerate(gates):
            if not any(pins[pin] in moved for pin in pins if pin != "Y"):
                continue
            new = function({"1": 1, **{pin: values[net] for pin, net in pins.items()}}) & 1
            if new == values[pins["Y"]]:
                pending.pop(number, None)
            elif number not in pending:
                serial += 1
                pending[number] = serial
                heapq.heappush(heap, (now + delay, serial, number))
        moved = []
        while heap and (not moved or heap[0][0] == now):
            time, mark, number = heapq.heappop(heap)
            if pending.get(number) == mark:
                del pending[number]
                now, net = time, gates[number][1]["Y"]
                values[net] ^= 1
                counts[net] += 1
                moved.append(net)
    return counts, values


def test_glitches_agree_with_events(library):
    random = np.random.default_rng(5)
    names = [f"a[{k}]" for k in range(6)]
    cells = []
    for number in range(60):
        one, other = (names[int(random.integers(max(0, len(names) - 12), len(names)))] for _ in "ab")
        cells.append(f"NAND u{number} (.A({one}), .B({other}), .Y(n[{number}]));")
        names.append(f"n[{number}]")
    flat = netlist.from_text(
        f"module m(a, y); input [5:0] a; output y; wire [59:0] n; {' '.join(cells)} assign y = n[59]; endmodule"
    )
    steps = random.integers(1, 6, 60)
    simulator = toggles.Simulator(flat, library, 1)
    draw = [{f"a[{k}]": random.integers(0, 1 << 64, 1, dtype=np.uint64) for k in range(6)} for _ in range(2)]
    simulator.drive(draw[0])
    simulator.settle()
    before = simulator.values.copy()
    further = glitches.count(simulator, steps, draw[1])[:, 0]
    edges = further + toggles.ones(before ^ simulator.values)
    settled = simulator.values.copy()
    simulator.settle()
    assert (settled == simulator.values).all()
    expected = dict.fromkeys(range(len(before)), 0)
    for stream in range(64):

        def bit(words, stream=stream):
            return int(words[0]) >> stream & 1

        state = {net: bit(before[net]) for net in range(len(before))}
        counts, values = events(
            flat, library, steps, state, {flat.inputs[name]: bit(word) for name, word in draw[1].items()}
        )
        assert all(bit(settled[net]) == value for net, value in values.items())
        for net, count in counts.items():
            expected[net] += count
    nets = [item.pins["Y"] for item in flat.instances]
    assert [edges[net] for net in nets] == [expected[net] for net in nets] and further.sum() > 100
