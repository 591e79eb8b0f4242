"""Benchmarks and studies of Tierline itself; imported by nobody."""
