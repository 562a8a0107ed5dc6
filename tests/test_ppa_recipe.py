"""Recipes: every shipped one can be read, targets mean what they say, nonsense is refused."""

import pytest

from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir
from fpgen.synthesis import recipe
from fpgen.synthesis.effort import EFFORTS, find, plan
from fpgen.synthesis.synthesis import abc_script


def test_shipped_recipes():
    assert {"area", "balanced", "direct", "speed", "reference"} == set(recipe.names())
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
    with pytest.raises(ValueError, match=r"target: got .*; expected a number of ps"):
        recipe.check_target(target)


def test_unknown_recipe(tmp_path):
    with pytest.raises(UsageError, match="recipe: got 'x'; expected one of area, balanced"):
        recipe.load("x")
    for place in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match=r"recipe: got|expected a TOML file like those in synth/recipes"):
            recipe.load(str(place))


MINE = """
name = "mine"
reason = "to try something"
[[synth]]
name = "plain"
options = "-flatten"
[[map]]
name = "only"
targets = [1, "relaxed"]
script = '''
strash; dch   # choices; and a remark
   map -B 0.9 {D};; topo

# nothing
stime -p'''
"""


def test_a_recipe_of_the_users_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    found = recipe.load(str(path))
    assert found.maps[0].script == ("strash", "dch", "map -B 0.9 {D}", "topo", "stime -p")
    assert abc_script(found.maps[0].script, 1.5) == "strash\ndch\nmap -B 0.9 -D 1.5\ntopo\nstime -p\n"
    assert (
        abc_script(["buffer", "upsize {D}", "stime -p -c"], 9, wire_load=True)
        == "buffer -c\nupsize -D 9 -c\nstime -p -c\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "mine"', "", "does not state 'name'"),
        ('"mine"', '"a/b"', "letters, digits"),
        ("{D}", "{T}", "expected no placeholder"),
        ('[1, "relaxed"]', "[]", "a target in each"),
        ('[1, "relaxed"]', '["relaxed", 0.5, 1]', r"target 0.5: got it after \['relaxed'\]; expected it after 1 and"),
        ('[1, "relaxed"]', '["x1.2", 1]', r"target 'x1.2': got it after \[\]; expected it after 1$"),
        ('[1, "relaxed"]', "5", "cannot be read"),
        ("[[map]]", "[map]", "cannot be read"),
        ('"-flatten"', '"-flatten', "cannot be read"),
        ('"mine"', "7", "cannot be read"),
        ("script = ", "script = 3 #", "cannot be read"),
        ("reason", "raison", "does not state 'reason'"),
    ],
)
def test_bad_recipes(tmp_path, old, new, said):
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(old, new, 1))
    with pytest.raises(UsageError, match=said):
        recipe.load(str(path))


@pytest.mark.parametrize("script", ["", "# nothing", " ; ;\n", []])
def test_no_commands(script):
    with pytest.raises(ValueError, match="without commands"):
        recipe.commands(script)


def test_efforts_are_told_by_level_or_name():
    assert [effort.level for effort in EFFORTS] == [0, 1, 2, 3]
    for effort in EFFORTS:
        assert find(effort.level) is find(str(effort.level)) is find(effort.name) is effort
        assert plan(effort)
    assert find(None).name == "quick"
    assert [script.targets for item in plan(find(0), [7.0]) for script in item.maps] == [(7.0,)]


def test_unknown_resource():
    with pytest.raises(UsageError, match="expected one of synth, sim, designs"):
        resource_dir("secrets")
