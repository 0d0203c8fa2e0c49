"""The life of a serious adverse event with sponsor and authorities: cases, their clocks, what is expected."""
