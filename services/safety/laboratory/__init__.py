"""Laboratory results on arrival: laboratories, batches, participants' records, rows nobody could read."""
