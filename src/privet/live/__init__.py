"""Fan-out of the scene stream to viewers: a slow viewer is resynchronised and counted, and slows nobody.

Belongs here: what is in force per camera, bounded queues per subscriber, how late messages are. Does not belong here: sockets
(api), recording (record keeps its own queue, which drops nothing but covers), and anything that knows a live pixel.
"""
