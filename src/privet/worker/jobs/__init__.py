"""Worker processes that do one job and end: probe, mask, bench, compile."""
