"""What every room stands on: errors, files and their owners, processes, the cache."""

__all__: list[str] = []
