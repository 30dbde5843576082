"""Resource: the recorded scene stream."""
