"""What leaves fpgen: lists of units, bundles, datasheets."""

__all__: list[str] = []
