"""Sweeps: a unit template over lists of parameters, measured point by point into one store.

`spec` reads the TOML file, `cases` lists its points, `measure` does one of them, `local` and `cluster` run many,
`sweep_run` ties them to the cache and the `store`; `compare` says what moved between two stores.
"""

__all__: list[str] = []
