"""Non-compartmental analysis of one participant's curve. Pure: the calculator and the trial's tables ask here."""
