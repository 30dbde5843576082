"""How many cameras a core can guard: CPU time per second of stream, measured over RTSP on one pinned core."""
