"""HTTP and WebSocket: a folder for each resource, one request guard in front of all of them.

Belongs here: routes, permissions, sessions, what a request may ask for and how an answer looks. Does not belong here: live
pixels (this room cannot name them), SQL, file formats, drawing.

In a resource's folder: ports.py says what it needs of other rooms, routes.py begins with what its routes are given, adapter.py is a
port over the real index, archive or renderer. `auth`: who asks, and what they may do. `guard`: what is refused, and how.
`app` puts all of it together.
"""
