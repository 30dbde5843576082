"""Resource: figures for Prometheus."""
