"""What to send to a reader so that it sees what is in force. Pure.

Belongs here: the order in which parts in force are sent, and which of them a reader already has. Does not belong here: queues.
"""

from __future__ import annotations

from privet.core.reader import SceneView
from privet.core.scene import Scene, State


def in_force(view: SceneView, grid_state: State | None, known: SceneView) -> tuple[Scene, ...]:
    """Return the messages after which a reader that is at `known` is at `view`, in sending order.

    view: what is in force. grid_state: the last state of the session that named a grid; needed while no background has set
    one. known: what the reader has followed so far; what it holds already (the same objects) is left out.
    """
    if known.head is None or view.head is None or known.head.session != view.head.session:
        known = SceneView()
    parts: list[Scene] = []
    if view.background is None:
        # Light and cover need a grid, and only a state can have set it.
        if grid_state is not None and grid_state is not view.state and known.grid != view.grid:
            parts.append(grid_state)
        if view.state is not None and view.state is not known.state:
            parts.append(view.state)
    else:
        held = 0
        if view.background is known.background:
            held = len(known.patches)
        else:
            parts.append(view.background)
        parts.extend(view.patches[held:])
    if view.light is not None and view.light is not known.light:
        parts.append(view.light)
    if view.cover is not None and view.cover is not known.cover:
        parts.append(view.cover)
    if view.background is not None and view.state is not None and view.state is not known.state:
        parts.append(view.state)
    return tuple(parts)
