"""The simulated bank: raw events with known faults, and the truth they were drawn from."""
