"""Packaged policy files."""
