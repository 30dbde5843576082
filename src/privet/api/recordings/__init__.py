"""Resource: recordings and their bytes."""
