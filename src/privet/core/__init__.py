"""Value types that every room speaks: time, ids, grid, the scene stream's parts, errors.

Belongs here: frozen values and pure functions over them. Does not belong here: I/O, threads, configuration, and anything only
one room needs. `core.frame` holds the one type that carries live pixels; who may import it is held by tests/arch.
"""
