"""What is missing in what was recorded of cameras that sent all the time.

Belongs here: reading recordings from their first byte to their last, and what of them is a gap. Does not belong here: what a machine
counted meanwhile (many).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path

from privet.core.clock import NS_PER_S
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import looked_at_seldom
from privet.record import scan
from privet.record.store import DirectoryStore
from privet.record.stream_state import head_of

SILENT_NS = 2 * NS_PER_S        # between two heartbeats: longer, and the API calls a camera stale
_ILL = {pb.CONDITION_STARTING: "starting", pb.CONDITION_OFFLINE: "offline", pb.CONDITION_BLIND: "blind"}


@dataclass(frozen=True, slots=True)
class Gaps:
    """Of one camera, or of several together.

    missing: scene messages that were numbered and never recorded. sessions: pipelines that began anew. starting, offline, blind: how
    often a camera was. silences: longer than SILENT_NS between heartbeats; unrecorded: cameras without any. heartbeats: in all; sparse: of
    those, how many said that keyframes alone are looked at, because the machine is behind. That is no gap: it is said, and less is seen.
    """

    missing: int = 0
    sessions: int = 0
    starting: int = 0
    offline: int = 0
    blind: int = 0
    silences: int = 0
    unrecorded: int = 0
    heartbeats: int = field(default=0, compare=False)
    sparse: int = field(default=0, compare=False)
    longest_silence_s: float = 0.0

    def __add__(self, other: Gaps) -> Gaps:
        sums = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Gaps(**{**sums, "longest_silence_s": max(self.longest_silence_s, other.longest_silence_s)})

    def counts(self) -> dict[str, int]:
        """What is a gap: the longest silence every camera has, and heartbeats are none."""
        others = ("longest_silence_s", "heartbeats", "sparse")
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name not in others}


def gaps_of(messages: Iterable[pb.SceneMessage], from_ns: int, to_ns: int) -> Gaps:
    """What is missing from the first heartbeat at or after `from_ns` to the first one at or after `to_ns`.

    messages: of one camera, in the order in which they were recorded. A file says again at its head what is in force, so numbers may come
    twice. The silences at both ends count, too.
    """
    first: dict[int, int] = {}              # sequence by session, and then those seen
    seen: dict[int, set[int]] = {}
    spells = dict.fromkeys(_ILL.values(), 0)
    condition, last_ns, longest_ns, silences, heartbeats, seldom = 0, from_ns, 0, 0, 0, 0
    for message in messages:
        head, heartbeat = head_of(message), message.WhichOneof("kind") == "state"
        if head is None or (not seen and not (heartbeat and head.wall_ns >= from_ns)):
            continue
        if heartbeat and head.wall_ns >= to_ns:
            break
        if head.sequence >= first.setdefault(head.session, 1 if seen else head.sequence):
            seen.setdefault(head.session, set()).add(head.sequence)
        if heartbeat:
            heartbeats += 1
            seldom += looked_at_seldom(message.state.condition, message.state.reason)
            silences += head.wall_ns - last_ns > SILENT_NS
            longest_ns, last_ns = max(longest_ns, head.wall_ns - last_ns), max(last_ns, head.wall_ns)
            if message.state.condition != condition and message.state.condition in _ILL:
                spells[_ILL[message.state.condition]] += 1
            condition = message.state.condition
    return Gaps(
        missing=sum(max(numbers) - first[session] + 1 - len(numbers) for session, numbers in seen.items()),
        sessions=max(len(seen) - 1, 0),
        silences=silences + (to_ns - last_ns > SILENT_NS),
        unrecorded=int(not seen),
        heartbeats=heartbeats,
        sparse=seldom,
        longest_silence_s=round(max(longest_ns, to_ns - last_ns) / NS_PER_S, 2),
        **spells,
    )


def recorded(paths: Sequence[Path]) -> Iterator[pb.SceneMessage]:
    """The messages of recordings, file by file in the order given.

    Raises:
        OSError: a file cannot be read.
        WireError: it is no recording.
    """
    for path in paths:
        with closing(DirectoryStore(path.parent).open(path.name)) as file:
            for chunk in scan.scan(file).chunks:
                for entry in scan.entries(scan.read_chunk(file, chunk)):
                    yield pb.SceneMessage.FromString(entry.data)
