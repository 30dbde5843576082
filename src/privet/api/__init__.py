"""HTTP and WebSocket: a slice (one module) per resource, one gate in front of all of them.

Belongs here: routes, permissions, sessions, what a request may ask for and how an answer looks. Does not belong here: live
pixels (this room cannot name them), SQL, file formats, drawing. What the slices need of other rooms is declared in `ports`.
"""
