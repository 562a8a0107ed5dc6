"""Renew the transcripts in README.md: after each `<!-- transcript: COMMAND -->`, what COMMAND prints now.

.venv/bin/python scripts/readme.py [TEXT]     only the commands that contain TEXT
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"(<!-- transcript: (.+?) -->\n)(?:\n```text\n.*?\n```\n)?", re.S)


def transcript(found: re.Match[str]) -> str:
    """The marker, and a block with the command and its standard output."""
    command = found[2]
    if not any(text in command for text in sys.argv[1:] or [""]):
        return found[0]
    print(f"$ {command}", file=sys.stderr)
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    return "\n".join([f"{found[1]}", "```text", f"$ {command}", *lines, "```", ""])


def main():
    readme = ROOT / "README.md"
    readme.write_text(MARK.sub(transcript, readme.read_text()))


if __name__ == "__main__":
    main()
