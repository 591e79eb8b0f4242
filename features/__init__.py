"""What we know of a customer as of a moment: catalogue, window engine, Feast repository."""
