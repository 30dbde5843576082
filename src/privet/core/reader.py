"""Follows a scene stream: what is known of the place after each message. The same rules as web/src/scene/reader.ts.

Rules (docs/ref/scene-stream.md, "What a reader must do"):
- a message of another session than the last one's begins anew: everything is forgotten;
- within a session a background, light, cover or state acts only if its sequence is greater than that of the last one of its own
  kind; a patch only if greater than the last patch's and the background's. So what is in force can be sent again, in the order
  background, patches, light, cover, state, whatever their sequences. A gap in the sequence is no error: covers may be dropped;
- a background replaces background and patches and sets the grid; unless the grid is the same, light and cover are forgotten
  (a background of another grid than a newer state has set is skipped);
- a state that is newer than the background and names another grid sets the grid and forgets background, patches, light and cover;
- patches, covers and lights of another epoch than the grid's are skipped, patches also without a background;
- at most MAX_PATCHES patches are kept between two backgrounds; further ones are skipped (their blocks stay as they were).

Pictures stay encoded here: `render` decodes them. `patches` are those since `background`, in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from privet.core.clock import NS_PER_S
from privet.core.grid import Grid
from privet.core.scene import Background, Cover, Head, Light, Patch, Scene, State

STALE_AFTER_NS = 2 * NS_PER_S
MAX_PATCHES = 4096


@dataclass(frozen=True, slots=True)
class SceneView:
    """Everything a picture is drawn from. `head` is the newest seen of the session, whether or not its message acted."""

    head: Head | None = None
    grid: Grid | None = None
    background: Background | None = None
    patches: tuple[Patch, ...] = ()
    light: Light | None = None
    cover: Cover | None = None
    state: State | None = None

    def covered_until_wall_ns(self) -> int:
        """Until when `cover` describes the place; 0 without one.

        A state that came after the cover extends it, at most to STALE_AFTER_NS past the state itself: a heartbeat speaks for
        the next two seconds, not for the night.
        """
        if self.cover is None:
            return 0
        end_ns = self.cover.head.wall_ns + self.cover.duration_ns
        if self.state is not None and self.state.head.sequence > self.cover.head.sequence:
            end_ns = max(end_ns, min(self.state.cover_until_wall_ns, self.state.head.wall_ns + STALE_AFTER_NS))
        return end_ns

    def proven_since_wall_ns(self) -> int:
        """When the oldest block of the picture was proven; 0 while none is."""
        oldest_ns = 0 if self.background is None else self.background.oldest_wall_ns
        return self.patches[0].head.wall_ns if oldest_ns == 0 and self.patches else oldest_ns

    def heard_wall_ns(self) -> int:
        """Wall time of the newest message; 0 without one."""
        return 0 if self.head is None else self.head.wall_ns


def follow(view: SceneView, scene: Scene) -> SceneView:
    """Return what is known after `scene`."""
    head = scene.head
    if view.head is None or head.session != view.head.session:
        view = SceneView(head=head)
    elif head.sequence > view.head.sequence:
        view = replace(view, head=head)
    match scene:
        case Background():
            return _background(view, scene)
        case Patch():
            return _patch(view, scene)
        case Cover():
            fits = view.grid is not None and scene.epoch == view.grid.epoch and scene.covered.shape == view.grid.shape
            return replace(view, cover=scene) if fits and _newer(head, view.cover) else view
        case Light():
            fits = view.grid is not None and scene.epoch == view.grid.epoch
            return replace(view, light=scene) if fits and _newer(head, view.light) else view
        case State():
            return _state(view, scene)


def _newer(head: Head, than: Background | Cover | Light | State | None) -> bool:
    return than is None or head.sequence > than.head.sequence


def _background(view: SceneView, scene: Background) -> SceneView:
    if not _newer(scene.head, view.background):
        return view
    if view.grid == scene.grid:
        return replace(view, background=scene, patches=())
    if view.grid is not None and view.background is None and not _newer(scene.head, view.state):
        return view  # a newer state has set another grid
    return replace(view, grid=scene.grid, background=scene, patches=(), light=None, cover=None)


def _patch(view: SceneView, scene: Patch) -> SceneView:
    if view.background is None or view.grid is None or scene.epoch != view.grid.epoch or len(view.patches) >= MAX_PATCHES:
        return view
    last = view.patches[-1].head if view.patches else view.background.head
    rows, columns = scene.promoted.shape
    inside = scene.row + rows <= view.grid.rows and scene.column + columns <= view.grid.columns
    return replace(view, patches=(*view.patches, scene)) if inside and scene.head.sequence > last.sequence else view


def _state(view: SceneView, scene: State) -> SceneView:
    if not _newer(scene.head, view.state):
        return view
    view = replace(view, state=scene)
    if scene.grid is None or scene.grid == view.grid or not _newer(scene.head, view.background):
        return view
    return replace(view, grid=scene.grid, background=None, patches=(), light=None, cover=None)
