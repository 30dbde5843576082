"""One camera's pipeline inside a worker."""
