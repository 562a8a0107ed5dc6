"""One vector a clock: reset, latency, valid gaps, back-pressure, and the state of an accumulator."""

import cocotb
from bench import Bench, Driver, Monitor, Scoreboard
from job import PROTOCOLS

ALL = range(len(PROTOCOLS))
VALID = [i for i in ALL if PROTOCOLS[i]["handshake"] != "none"]
READY = [i for i in ALL if PROTOCOLS[i]["handshake"] == "ready"]
STATEFUL = [i for i in ALL if PROTOCOLS[i]["stateful"]]
RESET = [i for i in VALID if not PROTOCOLS[i]["latency"] or {"rst", "rst_n"} & set(PROTOCOLS[i]["pins"])]
ASYNC = [i for i in RESET if PROTOCOLS[i]["async_reset"]]
FLUSH = [i for i in VALID if "flush" in PROTOCOLS[i]["pins"]]


async def drain(bench, clocks=8):
    """Let everything come out, and a little longer, so that a spurious result is seen."""
    for _ in range(bench.latency + clocks):
        await bench.edge


@cocotb.test(skip=not ALL)
@cocotb.parametrize(number=ALL)
async def latency_is_exact(dut, number):
    """Back to back, each result comes `latency` clocks after its operands: no sooner, no later."""
    bench = Bench(dut, number)
    await bench.start()
    monitor = Monitor(bench)
    listening = cocotb.start_soon(monitor.run())
    driver = Driver(bench, bench.vectors)
    await driver.run()
    await drain(bench)
    listening.cancel()
    if bench.handshake != "none":
        Scoreboard(bench.expected).check(monitor.received)
        delays = {out - into for (into, _), (out, _) in zip(driver.accepted, monitor.received, strict=True)}
        assert delays == {bench.latency}, f"latency {sorted(delays)} clocks; {bench.latency} is declared"
        return
    at = dict(monitor.received)
    for offset in (0, -1, 1):
        agrees = all(
            at.get(clock + bench.latency + offset) == want
            for (clock, _), want in zip(driver.accepted, bench.expected, strict=True)
        )
        if offset == 0:
            wrong = [
                (bench.vectors[k], want, at.get(clock + bench.latency))
                for k, ((clock, _), want) in enumerate(zip(driver.accepted, bench.expected, strict=True))
                if at.get(clock + bench.latency) != want
            ]
            assert agrees, f"{bench.latency} clocks after its operands: (operands, expected, got) {wrong[:3]}"
        elif len(set(bench.expected)) > 1:
            assert not agrees, f"the results also fit a latency of {bench.latency + offset}"


@cocotb.test(skip=not VALID)
@cocotb.parametrize(number=VALID or [0])
async def gaps_leave_no_trace(dut, number):
    """Clocks without in_valid, garbage on the operands: one result for each accepted vector, in order."""
    bench = Bench(dut, number)
    await bench.start()
    monitor = Monitor(bench)
    listening = cocotb.start_soon(monitor.run())
    driver = Driver(bench, bench.vectors, gap=lambda: bench.random.random() < 0.5)
    await driver.run()
    await drain(bench)
    listening.cancel()
    Scoreboard(bench.expected).check(monitor.received)
    delays = {out - into for (into, _), (out, _) in zip(driver.accepted, monitor.received, strict=True)}
    assert delays == {bench.latency}, f"with gaps, latency {sorted(delays)} clocks; {bench.latency} is declared"


@cocotb.test(skip=not RESET)
@cocotb.parametrize(number=RESET or [0])
async def reset_empties_the_pipeline(dut, number):
    """A reset in the middle: nothing of what was in flight comes out, and the next results are right."""
    bench = Bench(dut, number)
    await bench.start()
    if bench.latency:
        await Driver(bench, bench.vectors[: bench.latency + 2]).run()
        await bench.reset()
    monitor = Monitor(bench)
    listening = cocotb.start_soon(monitor.run())
    await drain(bench)
    assert not monitor.received or not bench.latency, f"{len(monitor.received)} results survived the reset"
    vectors, expected = bench.spec["after_reset"], bench.spec["after_reset_expected"]
    await Driver(bench, [tuple(vector) for vector in vectors]).run()
    await drain(bench)
    listening.cancel()
    Scoreboard([tuple(outputs) for outputs in expected]).check(monitor.received)


@cocotb.test(skip=not ASYNC)
@cocotb.parametrize(number=ASYNC or [0])
async def reset_needs_no_clock(dut, number):
    """An asynchronous reset between two clock edges clears the valid bits at once."""
    bench = Bench(dut, number)
    await bench.start()
    if "out_ready" in bench.pin:
        bench.pin["out_ready"].value = 0
    bench.pausing = False
    await drain(bench)
    await Driver(bench, bench.vectors[: bench.latency]).run()
    for _ in range(bench.latency):
        if bench.bit("out_valid"):
            break
        await bench.edge
    assert bench.bit("out_valid"), "no result before the reset: the test shows nothing"
    await bench.reset_between_edges()
    assert not bench.bit("out_valid"), "a result survived an asynchronous reset until the next clock edge"


@cocotb.test(skip=not FLUSH)
@cocotb.parametrize(number=FLUSH or [0])
async def flush_drops_what_is_inside(dut, number):
    """Nothing of what was in flight comes out, nor what is offered in that clock; what follows is right."""
    bench = Bench(dut, number)
    await bench.start()
    for fill in (1, bench.latency, bench.latency + 2) * 3:
        await Driver(bench, bench.vectors[:fill]).run()
        bench.present(bench.vectors[0])
        bench.pin["in_valid"].value = 1
        bench.pin["flush"].value = 1
        await bench.edge
        if bench.handshake == "ready":
            assert not bench.bit("in_ready"), "in_ready is high while flush is"
        bench.pin["in_valid"].value = 0
        bench.pin["flush"].value = 0
        monitor = Monitor(bench)
        listening = cocotb.start_soon(monitor.run())
        await drain(bench)
        listening.cancel()
        assert not monitor.received, f"{len(monitor.received)} results survived the flush"
    monitor = Monitor(bench)
    listening = cocotb.start_soon(monitor.run())
    await Driver(bench, bench.vectors).run()
    await drain(bench)
    listening.cancel()
    Scoreboard(bench.expected).check(monitor.received)


@cocotb.test(skip=not READY)
@cocotb.parametrize(number=READY or [0], stall=[0.2, 0.5, 0.9])
async def back_pressure_loses_nothing(dut, number, stall):
    """Random out_ready and random in_valid: no loss, no doubling, order kept, a waiting result stays put."""
    bench = Bench(dut, number)
    await bench.start()
    monitor = Monitor(bench, stall=lambda: bench.random.random() < stall)
    listening = cocotb.start_soon(monitor.run())
    driver = Driver(bench, bench.vectors, gap=lambda: bench.random.random() < 0.3)
    await driver.run()
    for _ in range(100 * (bench.latency + 8)):
        if len(monitor.received) >= len(bench.expected):
            break
        await bench.edge
    await drain(bench, 40)
    listening.cancel()
    Scoreboard(bench.expected).check(monitor.received)


@cocotb.test(skip=not READY)
@cocotb.parametrize(number=READY or [0])
async def a_blocked_output_stops_the_input(dut, number):
    """Never out_ready: the unit fills up and refuses more; released, all of it comes out in order."""
    bench = Bench(dut, number)
    await bench.start()
    blocked = [True]
    monitor = Monitor(bench, stall=lambda: blocked[0])
    listening = cocotb.start_soon(monitor.run())
    driver = Driver(bench, bench.vectors)
    sending = cocotb.start_soon(driver.run())
    for _ in range(4 * bench.latency + 16):
        await bench.edge
    held = len(driver.accepted)
    assert held <= 2 * bench.latency + 4, f"{held} vectors accepted while the output was blocked"
    blocked[0] = False
    await sending
    await drain(bench, 40)
    listening.cancel()
    Scoreboard(bench.expected).check(monitor.received)


@cocotb.test(skip=not STATEFUL)
@cocotb.parametrize(number=STATEFUL or [0])
async def idle_clocks_keep_the_sum(dut, number):
    """Long pauses with garbage on the operands and on clear and load: the accumulator does not move."""
    bench = Bench(dut, number)
    await bench.start()
    monitor = Monitor(bench)
    listening = cocotb.start_soon(monitor.run())
    driver = Driver(bench, bench.vectors[:40], gap=lambda: bench.random.random() < 0.9)
    await driver.run()
    await drain(bench)
    listening.cancel()
    Scoreboard(bench.expected[:40]).check(monitor.received)
