"""Breaking lines: no line is longer than 100 columns, and breaks fall where nesting is shallow."""

from __future__ import annotations

COLUMNS = 100
INDENT = "    "


def wrapped(text: str, indent: str = INDENT, continuation: str = INDENT * 2) -> list[str]:
    """A statement as lines, broken at spaces, at the outermost level of parentheses that fits.

    Parameters
    ----------
    text : str
        One statement on one line.
    indent, continuation : str
        Before the first line, and before the others.
    """
    lines = []
    lead = indent
    while len(lead) + len(text) > COLUMNS:
        at = _break(text, COLUMNS - len(lead))
        if at is None:
            break
        lines.append(lead + text[:at].rstrip())
        text = text[at:].lstrip()
        lead = continuation
    lines.append(lead + text)
    return lines


def _break(text: str, room: int) -> int | None:
    """Where to break: the last space at the shallowest nesting in the second half of the room, if there is one."""
    depth = 0
    best: tuple[int, int] | None = None
    for position, letter in enumerate(text):
        if position > room and best is not None:
            break
        if letter in "({[":
            depth += 1
        elif letter in ")}]":
            depth -= 1
        elif letter == " " and position and text[position - 1] not in "?:&|^+-*<=" and _breakable(text, position):
            early = position < room // 2
            rank = (-(depth + 100 * early), position)
            if best is None or rank >= best:
                best = rank
    return None if best is None else best[1]


def _breakable(text: str, position: int) -> bool:
    """Whether the space is before an operator or after a comma, not inside a declaration's head."""
    following = text[position + 1 : position + 2]
    return text[position - 1] == "," or following in "?:&|^+-*<" or text[position + 1 : position + 3] == "=="


def comment(text: str, indent: str = "") -> list[str]:
    """Plain text as comment lines."""
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + 3 + len(line) + 1 + len(word) > COLUMNS:
            lines.append(f"{indent}// {line}")
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(f"{indent}// {line}")
    return lines


def around_name(before: str, name: str, after: str, indent: str = "") -> list[str]:
    """The head of a module or instance: one line, or a line for each part where the name is too long for that."""
    line = f"{indent}{before} {name}{after}" if before else f"{indent}{name}{after}"
    if len(line) <= COLUMNS:
        return [line]
    lines = [f"{indent}{before}"] if before else []
    return [*lines, f"{indent}{INDENT if before else ''}{name}", f"{indent}{after.strip()}"]
