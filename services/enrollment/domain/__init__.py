"""The rules of enrollment: pure, without input or output."""
