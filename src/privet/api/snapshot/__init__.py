"""Resource: one masked picture."""
