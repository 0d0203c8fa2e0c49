"""CAR-T toxicities, what of them limits the dose, and when dosing halts."""
