"""The services of the trial: four that take commands, and the projector that answers across them."""
