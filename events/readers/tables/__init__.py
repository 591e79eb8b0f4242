"""What the columns of public feature tables mean: one TOML file a table."""
