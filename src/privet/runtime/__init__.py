"""Puts the rooms together: the main process, its workers, and the one pipe between them.

Belongs here: wiring, processes, what a worker may do and say. Does not belong here: anything that a room can do without knowing
the others. Live pixels exist in the worker's modules only (`worker*`, `camera`, `probe`); `serve` and `supervisor` never
import them.
"""
