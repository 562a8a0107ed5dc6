"""Block formats in hardware: numbers to elements with a shared scale, and back.

::

    source -> largest -> scale -----------------------> scale code
       \\                    \\
        `---------------------> one rounder an element -> element codes
"""

__all__: list[str] = []
