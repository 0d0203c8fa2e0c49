"""CAR-T toxicities by the consensus of the ASTCT (Lee 2019), with the CTCAE grade beside it: two scales, never one."""
