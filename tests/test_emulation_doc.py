"""The example of docs/emulation.md runs as it stands and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "emulation.md"


def test_the_example_prints_what_the_page_says():
    text = PAGE.read_text()
    first, example = re.findall(r"```python\n(.*?)```", text, re.S)
    said = re.search(r"```\n(exact .*?)```", text, re.S)
    exec(first, {})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    assert said and printed.getvalue() == said[1]
