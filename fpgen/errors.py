"""The errors a user can cause, told apart by whose turn it is to act.

The command line turns `UsageError` into exit code 2 and every other
`FpgenError` into exit code 1; neither shows a traceback. Every message says
what was given and what is allowed.
"""


class FpgenError(Exception):
    """Something that was asked for cannot be done; the message is for the user."""


class UsageError(FpgenError):
    """What was asked for makes no sense: an unknown name, a contradiction, a bad value."""


class MissingTool(FpgenError):
    """A program or package that the request needs is not on this machine."""


class RunFailure(FpgenError):
    """The request was sound, but a tool failed, a file could not be read, or a check did not pass."""
