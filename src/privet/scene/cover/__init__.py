"""Where something is that is not background."""
