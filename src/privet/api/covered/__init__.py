"""Resource: when something was in a part of the picture."""
