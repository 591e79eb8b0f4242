"""Benchmarks: ratios measured A B A B in one run, each in a process of its own."""
