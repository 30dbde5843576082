"""How a source stores the picture that is meant to be seen, and what is said when it states something that cannot be undone.

Belongs here: values and words, pure. Does not belong here: reading the tags and undoing them (`ingest.upright`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from privet.core.errors import SourceError
from privet.core.scene import Reason

NO_TURN = -1
UNREADABLE = -2
SQUARE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Geometry:
    """What is done to a stored picture to see it upright: first its pixels are made square, then rows and columns are swapped, then left
    and right, then top and bottom. Another geometry is another view of the place: a new epoch."""

    aspect: Fraction = SQUARE       # width of a stored pixel by its height
    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def turned(self) -> bool:
        """Whether pixels change places."""
        return self.transposed or self.mirrored or self.flipped


AS_STORED = Geometry()


class Tag(Enum):
    """What a source states of its geometry."""

    ROTATION = "rotation"
    ASPECT = "aspect"


@dataclass(frozen=True, slots=True)
class Unusable:
    """What was found in a tag that cannot be used.

    number: of a rotation, degrees clockwise, NO_TURN or UNREADABLE; of an aspect, a pixel's width in millionths of its height.
    """

    tag: Tag
    number: int

    def words(self) -> str:
        """What was found and what to do, to be put behind the name of a source."""
        if self.tag is Tag.ASPECT:
            return (
                f"says that its pixels are {self.number / 1e6:.4g} times as wide as they are high, and so the picture cannot be made "
                "square: correct its pixel aspect ratio, or convert it to square pixels"
            )
        if self.number == UNREADABLE:
            return "carries data about its pictures that cannot be read here, a rotation tag perhaps among them: convert it to plain H.264"
        found = "a rotation tag that is no rotation" if self.number == NO_TURN else f"a rotation tag of {self.number} degrees"
        return f"has {found}, and only quarter turns and mirroring can be undone: correct the tag, or convert it to an upright picture"


class GeometryError(SourceError):
    """A source's tags say of its geometry what cannot be undone. What is not upright is not looked at."""

    def __init__(self, found: Unusable, name: str = "the source") -> None:
        super().__init__(f"{name} {found.words()}", Reason.CODEC)
        self.found = found
