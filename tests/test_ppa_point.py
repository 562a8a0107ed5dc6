"""The Pareto set and the JSON form of a point."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from fpgen.synthesis.point import Point, pareto

figures = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), max_size=20)


def point(area, delay, failed=False):
    return Point("m", "t", "r", 1.0, area_um2=float(area), delay_ps=float(delay), failure="broke" if failed else None)


@given(figures)
def test_pareto_is_what_nothing_beats(items):
    points = [point(*item) for item in items]
    kept = pareto(points)
    good = [item for item in points if item.failure is None]
    assert [p.area_um2 for p in kept] == sorted({p.area_um2 for p in kept})
    for p in good:  # everything is kept or matched by something at least as good in both
        assert any(k.area_um2 <= p.area_um2 and k.delay_ps <= p.delay_ps for k in kept)
    for k in kept:
        assert k in good and not any(
            p.area_um2 <= k.area_um2
            and p.delay_ps <= k.delay_ps
            and (p.area_um2, p.delay_ps) != (k.area_um2, k.delay_ps)
            for p in good
        )
    assert pareto(kept) == kept


def test_json_round_trip():
    good = point(2, 3)
    assert Point.from_dict(json.loads(json.dumps(good.to_dict()))).to_dict() == good.to_dict()
    failed = Point("m", "t", "r", 1.0, failure="broke")
    record = json.loads(json.dumps(failed.to_dict()))
    assert record["area_um2"] is None and record["failure"] == "broke"
    assert math.isnan(Point.from_dict({**record, "a_later_key": 1}).delay_ps)
