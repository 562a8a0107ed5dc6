"""Remove what fpgen wrote into directories, and nothing else: `python3 scripts/clean.py rtl_out sweep_out`.

Needs no package. A bundle or a report has a record of the files that fpgen put there, with their SHA-256; a store of
`fpgen sweep` begins with its own heads. What is not so known (a testbench of one's own, an edited file) stays, and is
named. `README.md` and `released/` of rtl_out belong to the repository.
"""

import hashlib
import json
import sys
from pathlib import Path

RECORDS = ("manifest.json", ".fpgen-files.json")
KEPT = ("README.md", "released")


def files_of(directory: Path) -> list[Path]:
    """The files of a directory that are as its record says, the record last."""
    found = []
    for name in RECORDS:
        record = directory / name
        try:
            content = json.loads(record.read_text(encoding="utf-8"))
            known = {file: {digest} for file, digest in content.get("files", {}).items()}
            for file, digests in content.get("unfinished", {}).items():
                known.setdefault(file, set()).update(digests)
            found += [
                directory / file
                for file, digests in known.items()
                if "/" not in file
                and is_plain(directory / file)
                and hashlib.sha256((directory / file).read_bytes()).hexdigest() in digests
            ]
        except (OSError, ValueError, AttributeError, TypeError):
            continue
        found.append(record)
    return found


def is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def is_store(path: Path) -> bool:
    """Whether `fpgen sweep` wrote it: the CSV by its first head, Parquet by the CSV of the same name beside it."""
    if path.suffix == ".parquet":
        return is_store(path.with_suffix(".csv"))
    return path.suffix == ".csv" and is_plain(path) and path.read_bytes()[:6] == b"sweep,"


def clean(directory: Path):
    """Everything of fpgen's in a directory and in those below it, and what is empty then."""
    own = files_of(directory)
    stores = [path for path in directory.iterdir() if is_store(path)]
    for path in [*own, *sorted(stores, key=lambda path: path.suffix == ".csv")]:
        path.unlink()
    for path in sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink() and path.name not in KEPT:
            clean(path)
            if not any(path.iterdir()):
                path.rmdir()
        elif path.name not in KEPT:
            print(f"kept: {path}, which fpgen did not write or which was changed")


if __name__ == "__main__":
    for given in sys.argv[1:]:
        if Path(given).is_dir():
            clean(Path(given))
