"""What every service of the trial stands on: kernel, contracts, protocol, store, bus, projections, HTTP."""
