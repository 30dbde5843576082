"""What is in force over undecoded messages is what core.reader.follow makes of the decoded ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.pb import scene_pb2 as pb
from privet.core.reader import SceneView, follow
from privet.core.scene import Scene
from privet.core.wire import from_message, to_message
from privet.record.stream_state import StreamState, head_of

GRIDS = [pb.Grid(width_px=32, height_px=16, block_px=8, epoch=1), pb.Grid(width_px=16, height_px=16, block_px=8, epoch=2)]
IMAGE = b"\x00"


@st.composite
def streams(draw: st.DrawFn) -> list[pb.SceneMessage]:
    """Messages that each are in order by themselves, in any order of sessions, sequences and epochs."""
    messages = []
    for _ in range(draw(st.integers(0, 14))):
        head = pb.Head(session=draw(st.integers(1, 2)), sequence=draw(st.integers(1, 12)), wall_ns=draw(st.integers(0, 100)))
        grid = draw(st.sampled_from(GRIDS))
        blocks = (grid.width_px // 8) * (grid.height_px // 8)
        match draw(st.sampled_from(["background", "patch", "cover", "light", "state", "cover", "state"])):
            case "background":
                background = pb.Background(
                    head=head, grid=grid, proven=b"\x80", format=pb.IMAGE_FORMAT_PNG, image=IMAGE,
                    oldest_wall_ns=1, newest_wall_ns=2,
                )
                messages.append(pb.SceneMessage(background=background))
            case "patch":
                patch = pb.Patch(
                    head=head, epoch=grid.epoch, column=0, row=draw(st.integers(0, 1)), columns=1, rows=1, promoted=b"\x80",
                    format=pb.IMAGE_FORMAT_PNG, image=IMAGE,
                )
                messages.append(pb.SceneMessage(patch=patch))
            case "cover":
                bits = (draw(st.integers(0, 2**blocks - 1)) << (8 - blocks)).to_bytes(1, "big")
                messages.append(pb.SceneMessage(cover=pb.Cover(head=head, epoch=grid.epoch, duration_ns=5, bits=bits)))
            case "light":
                light = pb.Light(head=head, epoch=grid.epoch, columns=1, rows=1, gain=b"\x80", offset=b"\x80")
                messages.append(pb.SceneMessage(light=light))
            case _:
                state = pb.State(
                    head=head, condition=pb.CONDITION_AWAKE, reason=pb.REASON_NONE, grid=draw(st.sampled_from([grid, None]))
                )
                messages.append(pb.SceneMessage(state=state))
    return messages


def session_of(message: pb.SceneMessage) -> int:
    head = head_of(message)
    assert head is not None
    return head.session


def order_of(message: pb.SceneMessage) -> tuple[int, int]:
    head = head_of(message)
    assert head is not None
    return (head.session, head.sequence)


def decoded(message: pb.SceneMessage, view: SceneView) -> Scene | None:
    """As a reader does: a patch, cover or light before any grid cannot be read."""
    kind = message.WhichOneof("kind")
    if view.grid is None and kind in ("patch", "cover", "light"):
        return None
    return from_message(message, view.grid)


def followed(messages: list[pb.SceneMessage]) -> SceneView:
    view = SceneView()
    for message in messages:
        if view.head is not None and session_of(message) != view.head.session:
            view = SceneView()
        scene = decoded(message, view)
        if scene is not None:
            view = follow(view, scene)
    return view


def of_view(view: SceneView) -> list[pb.SceneMessage | None]:
    parts = (view.background, *view.patches, view.light, view.cover, view.state)
    return [None if part is None else to_message(part) for part in parts]


def of_stream_state(state: StreamState) -> list[pb.SceneMessage | None]:
    return [state.background, *state.patches, state.light, state.cover, state.state]


@given(streams())
def test_it_follows_as_a_reader_does(messages: list[pb.SceneMessage]) -> None:
    state = StreamState()
    for message in messages:
        state.take(message)
    assert of_stream_state(state) == of_view(followed(messages))


@given(streams())
def test_what_it_repeats_leads_a_new_reader_there(messages: list[pb.SceneMessage]) -> None:
    state = StreamState()
    messages.sort(key=order_of)  # as a worker says it
    for message in messages:
        state.take(message)
    reader = followed(list(state.messages()))
    if state.background is None and (state.state is None or not state.state.state.HasField("grid")):
        assert of_view(reader) == [None, None, None, state.state]
    else:
        assert of_view(reader) == of_stream_state(state)
    again = StreamState()
    assert all(again.take(message) for message in state.messages())
    assert not any(again.take(message) for message in state.messages())


@given(streams())
def test_a_message_that_does_not_act_may_be_left_out(messages: list[pb.SceneMessage]) -> None:
    state = StreamState()
    messages.sort(key=session_of)  # a session that is over does not come back
    acted = [message for message in messages if state.take(message)]
    shorter = StreamState()
    for message in acted:
        shorter.take(message)
    if acted and shorter.session == state.session:
        assert of_stream_state(shorter) == of_stream_state(state)
