"""Templates of other languages: files whose own ``$``, ``%`` and braces stay as they are."""

from __future__ import annotations

import re


def filled(template: str, **values: object) -> str:
    """The text with every ``@{name}`` replaced."""
    return re.sub(r"@\{(\w+)\}", lambda found: str(values[found[1]]), template)
