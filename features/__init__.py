"""What we know of a customer as of a moment: the catalogue, the window engine, the Feast repository."""
