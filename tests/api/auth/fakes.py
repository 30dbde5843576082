"""Accounts in memory, and a policy that tells cameras apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.api.names import GATE

from privet.api.auth.permission import Identity, Permission, Role
from privet.core.ids import CameraId
from privet.index.rows import SessionRow, TokenRow


@dataclass
class MemoryAccounts:
    """Accounts in dictionaries."""

    tokens: dict[str, TokenRow] = field(default_factory=dict)
    sessions: dict[str, SessionRow] = field(default_factory=dict)

    def has_tokens(self) -> bool:
        return bool(self.tokens)

    def add_token(self, token: TokenRow) -> None:
        self.tokens[token.secret_hash] = token

    def token_by_hash(self, secret_hash: str) -> TokenRow | None:
        return self.tokens.get(secret_hash)

    def add_session(self, session: SessionRow) -> None:
        self.sessions[session.secret_hash] = session

    def session_by_hash(self, secret_hash: str) -> SessionRow | None:
        return self.sessions.get(secret_hash)

    def drop_session(self, secret_hash: str) -> None:
        self.sessions.pop(secret_hash, None)


@dataclass(frozen=True)
class OnlyGateForViewers:
    """A policy: viewers may see the gate and nothing else."""

    def allows(self, identity: Identity, permission: Permission, camera: CameraId) -> bool:
        return identity.role is Role.ADMINISTRATOR or camera == GATE
