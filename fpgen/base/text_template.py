"""Text of another language from a file: ``@{name}`` in it is replaced, and nothing else has a meaning."""

from __future__ import annotations

import functools
import re
from collections.abc import Set
from pathlib import Path


def filled(template: str, **values: object) -> str:
    """The template with every ``@{name}`` replaced; ``$``, ``@`` and braces of its own stay as they are."""
    return re.sub(r"@\{(\w+)\}", lambda found: str(values[found[1]]), template)


@functools.cache
def template_beside(module: str, name: str) -> str:
    """The text of the file `name` in the directory of a module, given by its ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="ascii")


def lines_for(features: Set[str], template: str) -> str:
    """The template for one case: lines that begin with ``@word:`` stay where `word` is a feature, without that mark."""
    kept = []
    for line in template.splitlines():
        marked = re.match(r"@(\w+):", line)
        if marked is None:
            kept.append(line)
        elif marked[1] in features:
            kept.append(line[marked.end() :])
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept) + "\n")
