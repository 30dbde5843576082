"""The process without live pixels: supervisor, inspector, publisher, metrics, retention, and the wiring of all parts."""
