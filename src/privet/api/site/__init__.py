"""Resource: the site."""
