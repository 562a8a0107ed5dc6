"""Liberty text to a tree of groups: the syntax alone, nothing about cells.

One regular expression recognises one statement, so that a file of 40 MB takes about a second. Groups that
the caller has no use for are passed over by counting braces.

Source of the syntax: Liberty User Guide, vol. 1, "Liberty Syntax".
"""

import re
from collections.abc import Collection

from fpgen.base.errors import UsageError

_COMMENT = re.compile(r"/\*|//")
_CONTINUED = re.compile(r"\\[ \t]+\n")
# Inside an unquoted value: the next attribute, when a semicolon is missing.
_NEXT = re.compile(r"\s[A-Za-z_]\w*\s*:(\s|$)")
_WORD = re.compile(r'"([^"]*)"|([^\s,"]+)')
_STATEMENT = re.compile(
    r"""[\s;\\]*+(?:
        (?P<close>\})
      | (?P<end>\Z)
      | (?P<name>[\w.\-\[\]]++|"[^"]*+")\s*+
        (?: :\s*+(?P<value>"[^"]*+"|[^;}\n"]*+)[ \t\r]*+(?:;|(?=[}\n])|\Z)
          | \((?P<args>(?:"[^"]*+"|[^"()]++|\([^()]*+\))*)\)\s*+(?P<open>\{)?
        )
    )""",
    re.VERBOSE,
)
_BRACE = re.compile(r"[{}]")


class LibertyGroup:
    """One group: `name (args) { attributes and groups }`.

    Attributes
    ----------
    name : str
    args : str
        The text between the parentheses, as written.
    attributes : dict of str to str
        Simple and complex attributes, unquoted; the last of a name stays.
    repeated : dict of str to list of str
        All values of the complex attributes that are given more than once.
    groups : list of LibertyGroup
    """

    __slots__ = ("args", "attributes", "groups", "name", "repeated")

    def __init__(self, name: str, args: str) -> None:
        self.name = name
        self.args = args
        self.attributes: dict[str, str] = {}
        self.repeated: dict[str, list[str]] = {}
        self.groups: list[LibertyGroup] = []

    def words(self) -> list[str]:
        """The group's arguments, one by one, unquoted."""
        return [word for quoted, plain in _WORD.findall(self.args) if (word := quoted.strip() or plain)]

    def every(self, name: str) -> list[str]:
        """All values of a complex attribute, in the order of the text."""
        return self.repeated.get(name) or ([self.attributes[name]] if name in self.attributes else [])

    def named(self, name: str) -> "list[LibertyGroup]":
        """The groups of one name directly inside this one."""
        return [group for group in self.groups if group.name == name]


def parse(text: str, source: str, *, skip: Collection[str] = ()) -> LibertyGroup:
    """The `library` group of a Liberty text.

    Parameters
    ----------
    text : str
    source : str
        What messages call the file.
    skip : collection of str
        Names of groups to leave out.

    Raises
    ------
    UsageError
        When the text is no Liberty library, is cut short, or has a statement that cannot be read.
    """
    text = _without_comments(_joined(text.removeprefix("\ufeff")) + "\n")
    top = LibertyGroup("", "")
    stack = [top]
    position = 0
    match = _STATEMENT.match
    while True:
        found = match(text, position)
        if found is None:
            raise _trouble(text, position, stack, source)
        position = found.end()
        name = found["name"]
        if name is not None and name[0] == '"':
            name = name.strip('"')
        if name is None:
            if found["close"] is None:
                break
            stack.pop()
            if not stack:
                raise UsageError(f"{source}: line {_line(text, position)}: a closing brace too many")
            continue
        value = found["value"]
        if value is not None:
            if ":" in value and '"' not in value and _NEXT.search(value):
                raise UsageError(
                    f"{source}: line {_line(text, position)}: {name}: got {value.strip()[:60]!r}; "
                    "expected one value and a semicolon"
                )
            stack[-1].attributes[name] = value.strip().strip('"')
        elif found["open"] is None:
            if name == "include_file":
                raise UsageError(
                    f"{source}: line {_line(text, position)}: got include_file ({found['args'].strip()}); expected a "
                    "library whose text is all in one file"
                )
            attributes = stack[-1].attributes
            if name in attributes:
                stack[-1].repeated.setdefault(name, [attributes[name]]).append(found["args"])
            attributes[name] = found["args"]
        elif name in skip:
            position = _after_group(text, position, source, name)
        else:
            group = LibertyGroup(name, found["args"])
            stack[-1].groups.append(group)
            stack.append(group)
        if len(stack) == 2 and stack[1].name != "library":
            raise UsageError(f"{source} is not a Liberty file: it starts with {stack[1].name!r}, not 'library'")
    if len(stack) > 1:
        raise UsageError(f"{source} is cut short: the group {_where(stack)} is not closed at the end of the file")
    if not top.groups:
        raise UsageError(f"{source} is not a Liberty file: it has no library group")
    if len(top.groups) > 1:
        raise UsageError(f"{source}: got {len(top.groups)} library groups; expected one in a file")
    return top.groups[0]


def _joined(text: str) -> str:
    """The text with plain line ends and no backslashes to continue one; a quote inside a string is an apostrophe."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in text:
        return text
    text = text.replace("\\\n", " \n").replace('\\"', "'")
    return _CONTINUED.sub(" \n", text)


def _without_comments(text: str) -> str:
    """The text with comments blanked, as many lines as before; what looks like one inside a string stays."""
    parts: list[str] = []
    kept = counted = position = quotes = 0  # `kept`: end of the last comment; `quotes`: those before `counted`
    while (found := _COMMENT.search(text, position)) is not None:
        start = found.start()
        quotes += text.count('"', counted, start)
        counted = start
        if quotes % 2:
            position = text.find('"', start)
        elif found[0] == "//":
            position = text.find("\n", start)
        else:
            position = text.find("*/", start + 2)
        if position < 0:  # not closed: left for the message
            break
        if not quotes % 2:
            position += 2 * (found[0] == "/*")
            parts += [text[kept:start], " ", "\n" * text.count("\n", start, position)]
            kept = counted = position
    return "".join([*parts, text[kept:]])


def _after_group(text: str, position: int, source: str, name: str) -> int:
    depth = 1
    while depth:
        brace = _BRACE.search(text, position)
        if brace is None:
            raise UsageError(f"{source} is cut short: the group {name!r} is not closed at the end of the file")
        depth += 1 if brace[0] == "{" else -1
        position = brace.end()
    return position


def _trouble(text: str, position: int, stack: list[LibertyGroup], source: str) -> UsageError:
    if len(stack) == 1 and stack[0].groups:
        return UsageError(f"{source}: line {_line(text, position)}: text after the library's last brace")
    if len(stack) == 1:
        return UsageError(f"{source} is not a Liberty file: it does not start with 'library (name) {{'")
    rest = text[position:].lstrip()
    if "}" not in rest:
        return UsageError(f"{source} is cut short inside {_where(stack)}")
    return UsageError(
        f"{source}: line {_line(text, len(text) - len(rest))}: cannot read "
        f"{rest.splitlines()[0][:60]!r} inside {_where(stack)}"
    )


def _where(stack: list[LibertyGroup]) -> str:
    return " / ".join(f"{group.name} ({group.args.strip()[:40]})" for group in stack[1:])


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
