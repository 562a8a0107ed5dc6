"""Recipes: every shipped one can be read, targets mean what they say, nonsense is refused."""

import pytest

from fpgen.errors import UsageError
from fpgen.ppa import recipe
from fpgen.resources import resource_dir


def test_shipped_recipes():
    assert {"area", "balanced", "speed", "reference"} <= set(recipe.names())
    for name in recipe.names():
        found = recipe.load(name)
        assert found.name == name and found.reason and found.maps


def test_reference_is_the_published_one():
    found = recipe.load("reference")
    assert dict(found.synth) == {"plain": "-flatten", "booth": "-flatten -booth"}
    assert (found.driving_cell, found.output_load_ff, found.delay) == ("BUF_X2", 4.0, "abc")
    default, speed = found.maps
    assert default.script is None and len(default.targets) == 5 and not speed.follows_target
    assert speed.script.count("&syn2") == 5


def test_targets():
    script = recipe.MapScript("s", None, ())
    reached = {1.0: 100.0, recipe.RELAXED_PS: 200.0}
    assert [script.target_ps(item, reached) for item in (5, "relaxed", "x1.5", 0.25)] == [5, 1e5, 150, 125]
    assert script.target_ps("x1.5", {}) is None and script.target_ps(0.5, {1.0: 3.0}) is None


@pytest.mark.parametrize("target", [0, -3, "soon", "x", True, None])
def test_bad_targets(target):
    with pytest.raises(ValueError, match="is no target"):
        recipe.check_target(target)


def test_unknown_recipe():
    with pytest.raises(UsageError, match="no recipe 'x'; there are area, balanced"):
        recipe.load("x")


def test_unknown_resource():
    with pytest.raises(UsageError, match="there are synth, sim, designs"):
        resource_dir("secrets")
