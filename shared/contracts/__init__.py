"""The published language: the events that services tell each other, and the terms they are made of."""
