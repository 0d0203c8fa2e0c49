"""Results of the laboratory, and what can honestly be read from them."""
