"""Loading studies into a running trial, through its HTTP API as any hospital would: the sample trial, and SDTM.

Every command's id is made of the row it comes from, so a second run finds everything there and changes nothing,
and a run that was stopped is taken up where it was.
"""
