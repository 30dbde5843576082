"""Who may do what: roles, permissions, and the one mechanism by which a route declares what it asks for.

Belongs here: the decision. Does not belong here: how somebody proves who they are (sessions, guard.request_guard).

Every route has exactly one `Requires` among its dependencies; tests/api/auth/test_permissions.py walks the route table. The request
guard has already refused whoever is not logged in, unless the route is PUBLIC; `Requires` decides on role and camera.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations of `Requires.__call__`, and a callable object has
# no __globals__ to resolve strings with.

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Annotated, Protocol

from fastapi import Depends, params
from fastapi.requests import HTTPConnection
from starlette.exceptions import HTTPException

from privet.core.errors import NotFoundError
from privet.core.ids import CameraId


class Permission(Enum):
    """What a route asks for."""

    PUBLIC = "public"
    VIEW = "view"        # see the masked picture, live and past, and the state of things
    EXPORT = "export"    # take a span away as a file
    COMMISSION = "commission"  # see what is to become background, and sign that nobody is in it
    ADMIN = "admin"      # change something


class Role(StrEnum):
    """What somebody is."""

    ADMINISTRATOR = "administrator"
    VIEWER = "viewer"


GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.VIEWER: frozenset({Permission.PUBLIC, Permission.VIEW}),
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. session_hash: the session's, None for a bearer token, which does not expire."""

    name: str
    role: Role
    session_hash: str | None
    expires_wall_ns: int | None

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


class CameraPolicy(Protocol):
    """Decides on single cameras, for every route that names one: pages, media, exports and the WebSocket alike."""

    def allows(self, identity: Identity, permission: Permission, camera: CameraId) -> bool: ...


@dataclass(frozen=True, slots=True)
class EveryCamera:
    """The policy as long as roles are for the whole site."""

    def allows(self, identity: Identity, permission: Permission, camera: CameraId) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Access:
    """The cameras there are and the policy over them; made anew for each request."""

    cameras: tuple[CameraId, ...]
    policy: CameraPolicy

    def visible(self, identity: Identity, permission: Permission) -> tuple[CameraId, ...]:
        """The cameras `identity` may do this with, in the configuration's order."""
        return tuple(camera for camera in self.cameras if self.policy.allows(identity, permission, camera))

    def permit(self, identity: Identity, permission: Permission, camera: str) -> CameraId:
        """Return `camera` as an id.

        Raises:
            NotFoundError: there is no such camera, or not for `identity`: the two are not told apart.
        """
        known = CameraId(camera)
        if known not in self.cameras or not self.policy.allows(identity, permission, known):
            raise NotFoundError("there is no such camera: /api/cameras lists them")
        return known


IDENTITY_KEY = "privet.identity"
ACCESS_KEY = "privet.access"


def identity_of(connection: HTTPConnection) -> Identity:
    """Who asks, as the request guard found out."""
    identity = connection.scope.get(IDENTITY_KEY)
    if not isinstance(identity, Identity):
        raise HTTPException(401, "log in first: open /login, or send a token as `Authorization: Bearer ...`")
    return identity


def access_of(connection: HTTPConnection) -> Access:
    """The cameras there were when the request came, and the policy over them."""
    access = connection.scope[ACCESS_KEY]
    assert isinstance(access, Access)
    return access


Who = Annotated[Identity, Depends(identity_of)]
TheAccess = Annotated[Access, Depends(access_of)]


class Requires:
    """A dependency: refuses who lacks `permission`, or may not do it with the camera named by the path parameter."""

    def __init__(self, permission: Permission, camera_parameter: str | None = None) -> None:
        self.permission = permission
        self.camera_parameter = camera_parameter

    def __call__(self, connection: HTTPConnection) -> None:
        if self.permission is Permission.PUBLIC:
            return
        identity = identity_of(connection)
        if not identity.may(self.permission):
            raise HTTPException(403, f"the role {identity.role.value} has not the permission {self.permission.value}, which this takes")
        if self.camera_parameter is not None:
            camera = str(connection.path_params[self.camera_parameter])
            access_of(connection).permit(identity, self.permission, camera)


def requires(permission: Permission, camera_parameter: str | None = None) -> list[params.Depends]:
    """The `dependencies` of a route."""
    return [params.Depends(Requires(permission, camera_parameter))]
