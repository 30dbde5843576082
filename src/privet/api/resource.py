"""How a route reaches what its resource is given: one frozen value a resource, found by its type.

Belongs here: the dependency alone. Each resource declares its own value in its routes.py and its ports in its ports.py; `app` holds one
of each. tests/api/test_app.py sees to it that no route asks for what another resource is given.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations of `Given.__call__`, and a callable object has no
# __globals__ to resolve strings with.

from typing import Generic, TypeVar

from fastapi.requests import HTTPConnection

T = TypeVar("T")


class Given(Generic[T]):
    """A dependency: the application's value of a type."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind

    async def __call__(self, connection: HTTPConnection) -> T:
        value = connection.app.state.resources[self.kind]
        assert isinstance(value, self.kind)
        return value
