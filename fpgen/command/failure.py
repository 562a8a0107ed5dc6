"""From an exception to one line on standard error and an exit code; nothing a user can cause shows a traceback."""

from __future__ import annotations

import difflib
import errno
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from fpgen.base.errors import FpgenError, UsageError, one_line

USAGE, FAILURE, INTERRUPTED = 2, 1, 130

#: Less free space than this, in bytes, is called a full disk.
_FULL_BYTES = 8 << 20


def complain(message: str) -> None:
    """Print `message` after the program's name on standard error, red on a terminal."""
    click.secho(f"fpgen: {message}", fg="red", err=True)


def describe_os_error(error: OSError) -> str:
    """An operating system's error, worded so that the user can act on it."""
    what = error.strerror or str(error)
    where = one_line(f"{error.filename}: ") if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}{what}; free some space, nothing half-written was kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}{what}; expected a place that can be written"
    return f"{where}{what}"


class Commands(click.Group):
    """A command group in which every error becomes one line and an exit code."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            names = self.list_commands(ctx)
            close = difflib.get_close_matches(name, names, n=1)
            suggestion = f" (did you mean {close[0]}?)" if close else ""
            raise UsageError(f"command: got {name}{suggestion}; expected one of {', '.join(names)}")
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with 0 (success), 1 (failure), 2 (usage) or 130 (interrupted)."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        if sys.stdout is None:  # closed by the caller (``>&-``): files opened from here on could take its place
            complain("standard output: got a closed one; expected one that is open, such as /dev/null")
            sys.exit(FAILURE)
        try:
            with _terminable():
                code = super().main(args, prog_name, complete_var, False, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            _leave_quietly()
        except UsageError as error:
            complain(str(error))
            sys.exit(USAGE)
        except FpgenError as error:
            complain(str(error))
            _say_if_full()
            sys.exit(FAILURE)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            sys.exit(0)
        except click.ClickException as error:
            complain(_usage_line(error))
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            complain("interrupted; nothing half-written was kept")
            sys.exit(INTERRUPTED)
        except OSError as error:
            complain(describe_os_error(error))
            sys.exit(FAILURE)
        except MemoryError:
            complain("out of memory; try less at once, such as --jobs 1")
            sys.exit(FAILURE)
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a polite kill end the run as Ctrl-C does, so that whatever is half-written is removed."""

    def stop(number: int, frame: Any) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: the caller has its own ways
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_if_full() -> None:
    """A tool that met a full disk seldom says so plainly."""
    from fpgen.base.cache import cache_dir

    try:
        places = {cache_dir(), Path.cwd()}
        full = [str(place) for place in places if shutil.disk_usage(place).free < _FULL_BYTES]
    except (FpgenError, OSError):
        return
    if full:
        complain(f"the disk is full at {', '.join(sorted(full))}; free some space, or set FPGEN_CACHE_DIR elsewhere")


def _usage_line(error: click.ClickException) -> str:
    """click's message in fpgen's form: what was given, and where the allowed things are listed."""
    message = one_line(error.format_message().rstrip("."))
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        return f"{message[0].lower()}{message[1:]}; see {context.command_path} --help"
    return message


def _leave_quietly() -> NoReturn:
    """The reader of our output has gone (``fpgen formats | head``): end without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(FAILURE)
