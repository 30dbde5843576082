"""Detectors on live views: people and faces, boxes inside the worker, nothing else.

Belongs here: loading weights, checking them, running them. Does not belong here: what a hit or its absence means (scene/proof/looks.py).
No model here can tell one person from another; docs/ref/models.md lists every weight file with hash, task and licence.
"""
