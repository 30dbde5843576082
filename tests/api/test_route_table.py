"""The table of routes says what the application's routes are."""

from __future__ import annotations

import pytest
from fastapi import Depends, FastAPI, WebSocket

from privet.api.app import bare_app
from privet.api.auth.permission import Permission, requires
from privet.api.route_table import BEGIN, END, page, table
from privet.core.errors import UserError


def made() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    def span(from_ms: int, to_ms: int) -> tuple[int, int]:
        return from_ms, to_ms

    @app.api_route("/api/things/{id}", methods=["GET", "HEAD"], dependencies=requires(Permission.EXPORT))
    async def thing(id: str, step_ms: int, asked: tuple[int, int] = Depends(span)) -> None:  # noqa: A002  (the name in the path)
        """One thing | or none.

        More about it.
        """

    @app.websocket("/api/live", dependencies=requires(Permission.VIEW))
    async def live(websocket: WebSocket) -> None:
        """What comes"""

    @app.get("/{path:path}", dependencies=requires(Permission.VIEW))
    async def rest(path: str) -> None:
        """A page."""

    return app


def test_a_row_says_method_path_query_permission_and_what() -> None:
    assert table(made().routes) == (
        "| route | permission | what |\n"
        "|---|---|---|\n"
        "| `GET /api/things/{id}?from_ms&to_ms&step_ms` | export | One thing \\| or none |\n"
        "| `WS /api/live` | view | What comes |\n"
        "| everything else | view | A page |\n"
    )


def test_the_table_is_put_between_the_markers_and_nothing_else_changes() -> None:
    text = f"# The API\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    new = page(text, made().routes)
    assert new == f"# The API\n\n{BEGIN}\n\n{table(made().routes)}\n{END}\n\nMore.\n"
    assert page(new, made().routes) == new


@pytest.mark.parametrize("text", ["# The API\n", f"{BEGIN}\n", f"{END}\n"])
def test_a_page_without_markers_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="no table of routes"):
        page(text, made().routes)


def test_every_route_of_the_application_has_one_permission() -> None:
    rows = table(bare_app().routes).splitlines()[2:]
    assert len(rows) > 20
    assert {row.split(" | ")[1] for row in rows} == {"public", "view", "export", "commission"}
