"""Events, deciders, errors and the clock: pure, without input or output."""
