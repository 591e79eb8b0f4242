"""The BentoML service: decide, record, replay."""
