"""A store as a page: `fpgen report STORE` writes one HTML file that opens from disk, and its plots as SVG and PNG.

`data` arranges the records, `fits` and `plots` draw on them, `page` puts them together.
"""

__all__: list[str] = []
