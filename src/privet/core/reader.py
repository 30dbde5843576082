"""Follows a scene stream: what is known of the place after each message. The same rules as web/src/scene/reader.ts.

Rules (docs/ref/scene-stream.md, "What a reader must do"):
- a message of another session than the last one's begins anew: background, light and cover are forgotten;
- within a session a sequence that does not grow is skipped; a gap in the sequence is not an error (covers may be dropped);
- a background replaces everything and sets the grid; a state with another grid forgets background, light and cover;
- patches, covers and lights of another epoch than the background's are skipped.

Pictures stay encoded here: `render` decodes them. `patches` are those since `background`, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from privet.core.clock import NS_PER_S
from privet.core.grid import Grid
from privet.core.scene import Background, Cover, Head, Light, Patch, Scene, State

STALE_AFTER_NS = 2 * NS_PER_S


@dataclass(frozen=True, slots=True)
class SceneView:
    """Everything a picture is drawn from."""

    head: Head | None = None
    grid: Grid | None = None
    background: Background | None = None
    patches: tuple[Patch, ...] = ()
    light: Light | None = None
    cover: Cover | None = None
    state: State | None = None

    def covered_until_wall_ns(self) -> int:
        """Until when `cover` describes the place; 0 without one."""
        if self.cover is None:
            return 0
        end_ns = self.cover.head.wall_ns + self.cover.duration_ns
        if self.state is not None and self.state.head.sequence > self.cover.head.sequence:
            end_ns = max(end_ns, self.state.cover_until_wall_ns)
        return end_ns

    def heard_wall_ns(self) -> int:
        """Wall time of the newest message; 0 without one."""
        return 0 if self.head is None else self.head.wall_ns


def follow(view: SceneView, scene: Scene) -> SceneView:
    """Return what is known after `scene`."""
    head = scene.head
    if view.head is not None and head.session == view.head.session and head.sequence <= view.head.sequence:
        return view
    if view.head is None or head.session != view.head.session:
        view = SceneView()
    view = replace(view, head=head)
    match scene:
        case Background():
            same_epoch = view.grid == scene.grid
            return replace(
                view,
                grid=scene.grid,
                background=scene,
                patches=(),
                light=view.light if same_epoch else None,
                cover=view.cover if same_epoch else None,
            )
        case State():
            if scene.grid is not None and scene.grid != view.grid:
                return replace(view, grid=scene.grid, background=None, patches=(), light=None, cover=None, state=scene)
            return replace(view, state=scene)
        case Patch():
            if view.background is None or scene.epoch != view.background.grid.epoch:
                return view
            return replace(view, patches=(*view.patches, scene))
        case Cover():
            return view if view.grid is None or scene.epoch != view.grid.epoch else replace(view, cover=scene)
        case Light():
            return view if view.grid is None or scene.epoch != view.grid.epoch else replace(view, light=scene)
