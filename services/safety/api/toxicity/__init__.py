"""The routes of CAR-T toxicities, of what limits the dose, and of the rules that halt dosing."""
