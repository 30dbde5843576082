"""The index: typed questions to the database, typed answers. Safe from several threads.

Belongs here: what makes one of its subjects, each of which is a module: cameras, recordings, promotions, states, density, accounts.
Whoever asks declares the port of what it asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from privet.index.accounts import Accounts
from privet.index.cameras import Cameras
from privet.index.database import Database
from privet.index.density import Density
from privet.index.promotions import Promotions
from privet.index.recordings import Recordings
from privet.index.states import States

FILE_NAME = "index.sqlite"


def index_url(directory: Path) -> str:
    """Return the URL of the index inside a data directory."""
    return f"sqlite:///{directory / FILE_NAME}"


class Index(Cameras, Recordings, Promotions, States, Density, Accounts):
    """All subjects over one database. Open with `Index.open`. Every method may raise StoreError."""

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at `url` (made if it is not there) and bring its tables up to date.

        Raises:
            StoreError: it cannot be opened, or was made by a newer Privet.
        """
        return cls(Database.open(url))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()
