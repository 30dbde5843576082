"""Resource: the API's own description."""
