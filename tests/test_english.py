"""The words of docs/glossary.md that are not to come back: in README, docs, code and help."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import click
import pytest

from fpgen.command import cli

ROOT = Path(__file__).resolve().parent.parent

#: What the table "Words" of docs/glossary.md says not to write, and what to write instead.
WORDS = {
    r"told|tells? (?:apart|of)|telling": "reported, distinguished",
    r"refus(?:e|es|ed|ing|al|als)": "rejected",
    r"stands? in\b(?! for)": "is defined in, is in",
    r"made aside|written aside": "written atomically",
    r"(?:held|holds?) (?:\w+ )?against": "checked against",
    r"sa(?:y|ys|id) nothing (?:of|about)": "does not cover",
    r"proven equal|proves? (?:it|them|\w+ netlist) equal": "proven equivalent",
    r"whoever": "the caller, the process that",
    r"anew": "again",
    r"unasked": "by default",
    r"mend(?:s|ed|ing)?": "fix",
    r"voice": "form",
}

#: Of messages only, in the package: the form is `<what>: got X; expected Y`.
MESSAGES = {
    r"(?:is|are) allowed\b(?! to)|(?<![\w ])allowed:|; allowed|[;:] needed:": "got X; expected Y",
}

#: Text -> why it may stay. An entry that no longer occurs fails the test.
ALLOWED = {
    "docs/glossary.md": "the table itself",
}

#: Rooms whose comments and docstrings are still to be edited; their messages are checked.
UNEDITED: tuple[str, ...] = ()

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "sim-full.md"),
]
MODULES = sorted((ROOT / "fpgen").rglob("*.py"))


def found(text: str, words: dict[str, str]) -> list[str]:
    """Each forbidden word in the text, with its line and what to write instead."""
    text = text.replace("\n", " ")
    return [
        f"{match[0]!r} in '...{text[max(0, match.start() - 40) : match.end() + 40]}...'; write {instead}"
        for pattern, instead in words.items()
        for match in re.finditer(rf"\b(?:{pattern})(?!\w)" if pattern[0].isalpha() else pattern, text, re.IGNORECASE)
    ]


def strings_of(module: Path) -> tuple[list[str], list[str]]:
    """The docstrings and the other string literals of a module; f-strings with their expressions as {}."""
    tree = ast.parse(module.read_text())
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    docstrings, literals = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            literals.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            (docstrings if id(node) in documentation else literals).append(node.value)
    return docstrings, literals


def comments_of(module: Path) -> str:
    """All comments of a module, one after another."""
    with io.StringIO(module.read_text()) as text:
        tokens = tokenize.generate_tokens(text.readline)
        return " ".join(token.string.lstrip("#: ") for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages(page):
    if str(page.relative_to(ROOT)) in ALLOWED:
        assert found(page.read_text(), WORDS), f"{page.name} no longer needs its entry in ALLOWED"
        return
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
    assert found(prose, WORDS) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_modules(module):
    docstrings, literals = strings_of(module)
    if str(module.relative_to(ROOT)) in ALLOWED:
        assert any(found(text, {**WORDS, **MESSAGES}) for text in literals), "it no longer needs its entry in ALLOWED"
        return
    wrong = [line for text in literals for line in found(text, {**WORDS, **MESSAGES})]
    if not str(module.relative_to(ROOT)).startswith(UNEDITED):
        wrong += [line for text in docstrings for line in found(text, WORDS)]
        wrong += found(comments_of(module), WORDS)
    assert wrong == []


def commands(group: click.Group, path: tuple[str, ...] = ()):
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize(
    ("words", "command"),
    list(commands(cli.main)),
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help(words, command):
    text = command.get_help(click.Context(command, info_name=" ".join(words)))
    assert found(text, {**WORDS, **MESSAGES}) == []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{words}: {parameter.opts} has no help"


def test_help_of_all():
    assert found(cli.main.get_help(click.Context(cli.main, info_name="fpgen")), {**WORDS, **MESSAGES}) == []


@pytest.mark.parametrize(
    "text",
    [
        "The result is told apart.",
        "It refuses the file.",
        "a refusal",
        "the rule stands in the options",
        "made aside, then renamed",
        "the model is held against numpy",
        "this says nothing of wires",
        "the netlist is proven equal to the text",
        "whoever reads it",
        "written anew",
        "unasked up to 4,000 cells",
        "mended",
        "in one voice",
    ],
)
def test_the_search_finds_each_word(text):
    assert found(text, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "stages=65; 0 to 64 are allowed",
        "simulator={}; allowed: {}",
        "2 operands given; needed: a, b",
        "format 3; allowed: x",
    ],
)
def test_the_search_finds_the_old_errors(text):
    assert found(text, MESSAGES)


@pytest.mark.parametrize(
    "text",
    ["toll", "amended by hand", "invoices", "Janewide", "the standard holds", "an average stands in for the data"],
)
def test_other_words_pass(text):
    assert not found(text, WORDS)


def test_the_table_lists_the_words():
    """Each group of words has its line in docs/glossary.md."""
    table = (ROOT / "docs" / "glossary.md").read_text().partition("## Words")[2]
    assert all(any(found(row, {pattern: ""}) for row in table.splitlines()) for pattern in WORDS)
