"""What the main process and a worker say to each other: framing, messages' settings, crash codes, and the bound on what can leave."""
