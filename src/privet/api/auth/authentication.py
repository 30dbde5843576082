"""Who somebody is: tokens and sessions looked up in threads, and wrong tries counted.

Belongs here: what the request guard, the login page and open WebSockets ask. Does not belong here: how secrets are made and compared
(sessions), cookies and headers (guard.request_guard), what somebody may do (permission).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from privet.api.auth.attempts import Attempts
from privet.api.auth.permission import Identity
from privet.api.auth.ports import Accounts
from privet.api.auth.sessions import check_session, check_session_hash, check_token, open_session
from privet.core.clock import Clock


@dataclass(frozen=True, slots=True)
class Authentication:
    """Lookups over `accounts`. session_ns: how long a login lasts. threads: in which lookups block."""

    accounts: Accounts
    clock: Clock
    session_ns: int
    threads: anyio.CapacityLimiter
    attempts: Attempts = field(default_factory=Attempts)

    async def by_token(self, token: str) -> Identity | None:
        """Who holds `token`; None if nobody does."""
        return await anyio.to_thread.run_sync(check_token, self.accounts, token, limiter=self.threads)

    async def by_session(self, secret: str) -> Identity | None:
        """Whose session's cookie `secret` is; None if there is none or its time is over."""
        return await anyio.to_thread.run_sync(check_session, self.accounts, self.clock, secret, limiter=self.threads)

    async def by_session_hash(self, session_hash: str) -> Identity | None:
        """As `by_session`, for who is logged in already."""
        return await anyio.to_thread.run_sync(check_session_hash, self.accounts, self.clock, session_hash, limiter=self.threads)

    async def open_session(self, identity: Identity) -> str:
        """Return the cookie's value of a new session."""
        return await anyio.to_thread.run_sync(open_session, self.accounts, self.clock, identity, self.session_ns, limiter=self.threads)

    async def end_session(self, session_hash: str) -> None:
        """Forget a session."""
        await anyio.to_thread.run_sync(self.accounts.drop_session, session_hash, limiter=self.threads)

    def count_attempt(self, address: str) -> int:
        """Count a wrong try of `address`. Returns 0 while its tries are few enough, else how many ns to wait before the next."""
        return self.attempts.draw(address, self.clock.monotonic_ns())
