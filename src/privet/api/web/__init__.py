"""Resource: the web application's files."""
