"""The front door: schemas of raw tables, checks, readers and the simulated bank."""
