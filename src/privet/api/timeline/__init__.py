"""Resource: a camera's timeline."""
