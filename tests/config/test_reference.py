"""The reference of privet.toml says what the models say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter

from privet.config import reference
from privet.config.models import Config, Credentials

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "ref"


@pytest.mark.parametrize(
    ("name", "made"), [(reference.SCHEMA_NAME, reference.schema_json()), (reference.PAGE_NAME, reference.page())]
)
def test_committed_reference_is_current(name: str, made: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == made, "run `make generate`"


def test_every_setting_is_documented() -> None:
    parts = dict(part.split("\n", 1) for part in reference.page().split("\n## ")[1:])
    models: dict[str, type[BaseModel]] = {f"`{heading}`": model for heading, model in reference.tables()}
    models["secrets.toml: `[NAME]`"] = Credentials
    assert set(parts) == set(models)
    for heading, model in models.items():
        rows = reference.settings(model)
        assert rows
        assert re.findall(r"^\| `([^`]+)` \|", parts[heading], re.M) == [row.name for row in rows]
        for row in rows:
            assert row.description.endswith("."), f"{model.__name__}.{row.name} has no description that is a sentence"


def test_every_table_of_the_file_has_a_section() -> None:
    headings = {heading for heading, _ in reference.tables()}
    assert headings == {f"[{name}]" for name in Config.model_fields if name != "cameras"} | {"[cameras.ID]"}


def test_schema_refuses_unknown_keys_everywhere() -> None:
    schema = json.loads(reference.schema_json())
    tables = [schema, *schema["$defs"].values()]
    assert len(tables) > 5
    for table in tables:
        assert table["additionalProperties"] is False, table["title"]


def test_schema_gives_the_defaults_that_the_models_use() -> None:
    schema = json.loads(reference.schema_json())
    defaults = {
        name: {key: value["default"] for key, value in table["properties"].items() if "default" in value}
        for name, table in schema["$defs"].items()
    }
    loaded = TypeAdapter(Config).validate_python({})
    assert defaults["Storage"]["retention_hours"] == loaded.storage.retention_hours == 72
    assert defaults["Promotion"]["prove_seconds"] == loaded.promotion.prove_seconds == 60.0
    assert defaults["Server"]["host"] == loaded.server.host == "127.0.0.1"
