"""Resource: what is stored."""
