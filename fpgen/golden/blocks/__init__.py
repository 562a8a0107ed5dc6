"""Block formats: quantising and dequantising."""

__all__: list[str] = []
