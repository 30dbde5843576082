"""Resource: the cameras."""
