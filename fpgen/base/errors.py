"""The errors a user can cause, divided by who has to act.

The command line turns `UsageError` into exit code 2 and every other
`FpgenError` into exit code 1; neither shows a traceback. Every message says
what was given and what was expected.
"""


class FpgenError(Exception):
    """Something that was asked for cannot be done; the message is for the user."""


class UsageError(FpgenError):
    """What was asked for makes no sense: an unknown name, a contradiction, a bad value.

    The message is one line: what a user gave may hold line ends and control characters, and these are shown escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class MissingTool(FpgenError):
    """A program or package that the request needs is not on this machine."""


def one_line(text: str) -> str:
    """`text` with line ends and control characters escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


#: Whole numbers of more digits are rejected where they are read, so that every message stays a line.
LONGEST_NUMBER = 40


def short_text(given: object, quoted: bool = True) -> str:
    """What a user gave, as one short line for a message; text in quotes, or `quoted` not."""
    try:
        text = repr(given) if quoted else str(given)
    except Exception:  # a type of the user's own, or a number too long to write in decimal
        text = f"a {type(given).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


class RunFailure(FpgenError):
    """The request was sound, but a tool failed, a file could not be read, or a check did not pass."""
