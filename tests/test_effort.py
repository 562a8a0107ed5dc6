"""What an effort is worth: the measure, and the command that prints it."""

import math

import pytest
from ppa_helpers import fresh_cache

from benchmarks import effort_figures
from benchmarks.library_accuracy import Comparison
from fpgen.synthesis.effort import EFFORTS
from fpgen.synthesis.point import Point

__all__ = ["fresh_cache"]


def point(area, delay):
    return Point("t", "lib", "r/plain/m", 1.0, area_um2=area, delay_ps=delay)


def test_dominated_part_of_the_plane():
    corner = (math.e**4, math.e**4)
    one = point(math.e, math.e**2)
    assert effort_figures.dominated([one], corner) == pytest.approx(3 * 2)
    assert effort_figures.dominated([one, point(math.e**2, math.e)], corner) == pytest.approx(3 * 2 + 2 * 1)
    assert effort_figures.dominated([one, point(math.e**3, math.e**3)], corner) == pytest.approx(6)  # beaten
    assert effort_figures.dominated([point(math.e**5, math.e**5)], corner) == 0.0  # beyond the corner


def test_command(fresh_cache, capsys, monkeypatch):
    monkeypatch.setattr(effort_figures, "EFFORTS", EFFORTS[:2])
    assert effort_figures.main(["convert e5m2 -> e4m3fn rne", "--engine", "auto"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = [float(line.split("found")[1].split("%")[0]) for line in lines if line.startswith("mean")]
    assert len(found) == 2 and found == sorted(found) and found[-1] == 100.0
    assert effort_figures.main(["nonsense"]) == 2


def test_rank_figures():
    import numpy as np

    area = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    delay = np.array([[1.0, 1.0], [2.0, 4.0], [3.0, 3.0], [4.0, 9.0]])
    found = Comparison(("a | x/p/m #0", "a | x/p/m #1", "b | y/p/m #0", "b | y/p/m #1"), area, delay)
    assert found.rank_correlation(area) == (pytest.approx(1.0), pytest.approx(1.0))
    assert found.rank_correlation(delay) == (pytest.approx(0.8), pytest.approx(4 / 6))
    assert found.same_order(delay) == pytest.approx(5 / 6)
    even, by_area, by_delay = found.scaled()
    assert by_area == pytest.approx(2.0) and abs(even.errors(even.area)).max() < 1e-12
    assert by_delay == pytest.approx((1 * 2 * 1 * 2.25) ** 0.25)
    assert [one.labels for one in found.within_designs()] == [found.labels[:2], found.labels[2:]]
    assert found.of_recipe("y").labels == found.labels[2:] and "rho 0.8000" in found.summary()
    assert math.isnan(found._rows([0]).rank_correlation(area[:1])[0])
