"""Resource: what waits for a signature."""
