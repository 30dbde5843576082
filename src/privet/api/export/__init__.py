"""Resource: a span as MP4."""
