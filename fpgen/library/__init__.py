"""Cell libraries: Liberty files, cell tables, PDKs, wire load."""

__all__: list[str] = []
