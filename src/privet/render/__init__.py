"""Draws the place from the scene stream: pictures, thumbnails, MP4. Never sees a live frame.

- `paint`: render(picture, proven, cover, light, grid), the reference that every player is compared with
- `picture`: decode_view(view), the background's pixels from its encoded images
- `freshness`: what may be said about the place at a moment: shown, stale, offline, nothing recorded
- `caption`: the words on every picture that leaves: camera time, the background's age, "reconstruction, not video"
- `thumbnail`: one picture as JPEG
- `painter`, `movie`: a stream of scenes as frames, and as MP4. `movie` loads PyAV: import it in processes of its own only
"""
