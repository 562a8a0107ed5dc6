"""The command `fpgen`: arguments in, tables and exit codes out."""

__all__: list[str] = []
