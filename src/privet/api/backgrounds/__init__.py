"""Resource: the background's picture."""
