"""The OpenAPI document: stored, served, and complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.api.world import World

pytestmark = pytest.mark.anyio


async def test_the_document_is_served(unchanged: World, openapi_text: str) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        assert (await client.get("/api/openapi.json")).json() == json.loads(openapi_text)


def test_the_stored_openapi_document_is_current(openapi_text: str) -> None:
    stored = Path(__file__).parents[3] / "docs/ref/openapi.json"
    assert stored.read_text(encoding="utf-8") == openapi_text, "run `python -m privet.api.openapi > docs/ref/openapi.json`"


def test_every_operation_has_an_id_and_models_what_it_answers(openapi_text: str) -> None:
    found = json.loads(openapi_text)
    ids = []
    for item in found["paths"].values():
        for operation in item.values():
            ids.append(operation["operationId"])
            for status, answer in operation["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    assert content["schema"], (operation["operationId"], status, media_type)
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
    assert len(ids) == len(set(ids))
    for schema in found["components"]["schemas"].values():
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])


def test_the_api_pages_table_has_every_operation_and_the_schema_every_row_but_these(openapi_text: str) -> None:
    page = (Path(__file__).parents[3] / "docs/ref/api.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = {(method, path) for row in rows for method, path in re.findall(r"`([A-Z]+) ([^`?]+)(?:\?[^`]*)?`", row)}
    paths = json.loads(openapi_text)["paths"]
    offered = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert offered <= told, sorted(offered - told)
    assert told - offered == {("GET", "/login"), ("POST", "/login"), ("GET", "/api/openapi.json"), ("WS", "/api/live")}
