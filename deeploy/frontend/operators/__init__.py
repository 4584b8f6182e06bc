"""One module per family of operators; each registers its converters when it is imported."""
