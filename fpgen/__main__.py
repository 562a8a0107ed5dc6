"""`python -m fpgen`: the same as the command `fpgen`."""

from .command.cli import main

main(prog_name="fpgen")
