"""Which frames the scene wants next, as one value, from what is known of the place. Pure.

Does not belong here: what a decoder makes of it (ingest), when a machine that is behind asks for less (worker).
"""

from __future__ import annotations

from privet.core.frame import Frame
from privet.core.frame_demand import NEVER_NS, FrameDemand, SceneDemand, Stream, Wanted
from privet.scene.epoch import Epoch


def demand_of(epoch: Epoch | None, slot_ns: int, *, shed: bool) -> SceneDemand:
    """After a frame was looked at. slot_ns: from one cover to the next. shed: nothing is proven for now."""
    if epoch is None:
        return SceneDemand()
    rest, suffices = epoch.rest, epoch.sub_suffices
    wanted, if_behind, due_ns = Wanted.ALL, Wanted.KEYFRAMES, epoch.taken.next_cover_ns
    if suffices:
        # A proof asks for a minute, or what the policy says, in which every picture that was due was looked at: whoever is hard to see
        # moves more in one of those than in a keyframe. That minute comes last, and only when a proof lacks nothing else.
        if_behind = Wanted.KEYFRAMES if rest.proving or epoch.sub.asks_keyframes() else Wanted.SELDOM
        wanted = Wanted.ALL if epoch.proof.asks_whole else if_behind
        due_ns = epoch.taken.next_whole_ns
    # Where most frames are keyframes, they are not taken more often than covers: samples close in time are not independent.
    for_its_own_sake = suffices or (epoch.proof.waits and not shed)
    return SceneDemand(
        FrameDemand(
            wanted, if_behind, rest.proving, rest.quiet, rest.covered, due_ns,
            keyframe_due_ns=epoch.taken.keyframe_ns + slot_ns if for_its_own_sake else NEVER_NS,
        ),
        FrameDemand(
            proving=False, quiet=rest.quiet and suffices, covered=rest.covered, due_ns=epoch.sub.next_ns, damaged_due=True,
        ),
        Stream.SUB if suffices else Stream.MAIN,
        epoch.sub.refused,
    )


def is_due(demand: FrameDemand, frame: Frame) -> bool:
    """Whether a frame of the stream that this is asked of is to be analysed."""
    return demand.due(frame.monotonic_ns, keyframe=frame.keyframe, intact=frame.intact)
