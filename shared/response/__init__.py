"""What the responses of one participant amount to. Pure: both the calculator and the trial's tables ask here."""
