"""Resource: the live scene stream."""
