"""The rules of safety: pure, without input or output. One idea per module."""
