"""Reads privet.toml and secrets.toml; every complaint names the file, the key, what was found and what to do."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError

from privet.config.models import Camera, Config, Credentials
from privet.core.errors import ConfigError

SECRETS_NAME = "secrets.toml"
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Loaded:
    """A configuration with its secrets and the directory that relative paths begin at."""

    config: Config
    secrets: dict[str, Credentials]
    path: Path

    @property
    def data_directory(self) -> Path:
        return (self.path.parent / self.config.storage.directory).resolve()

    def resolve(self, path: Path) -> Path:
        """A path of the configuration, relative to its file."""
        return (self.path.parent / path).resolve()


def load(path: Path) -> Loaded:
    """Read `path` and the secrets.toml beside it.

    Raises:
        ConfigError: a file is missing, not TOML, has unknown or wrong keys, or names credentials that do not exist.
    """
    raw = _read_toml(path)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from error
    try:
        ZoneInfo(config.site.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{path}: site.timezone: {config.site.timezone!r} is not a time zone; take a name like Europe/Berlin"
        ) from error
    secrets = _load_secrets(path.parent / SECRETS_NAME)
    for key, camera in config.cameras.items():
        if camera.credentials is not None and camera.credentials not in secrets:
            raise ConfigError(
                f"{path}: cameras.{key}.credentials: {camera.credentials!r} is not in {path.parent / SECRETS_NAME}"
                f"{_nearest(camera.credentials, list(secrets))}"
            )
    return Loaded(config, secrets, path.resolve())


def _load_secrets(path: Path) -> dict[str, Credentials]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ConfigError(f"{path}: others may read it (mode {mode:04o}): run `chmod 600 {path}`")
            raw = _parsed(path, file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    secrets: dict[str, Credentials] = {}
    for key, value in raw.items():
        try:
            secrets[key] = Credentials.model_validate(value)
        except ValidationError as error:
            # The input is left out of the message: it may hold a password.
            items = error.errors(include_input=False)
            places = ", ".join(f"{key}.{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in items)
            raise ConfigError(f"{path}: {places}; an entry is a table with `username` and `password`") from None
    return secrets


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return _parsed(path, file)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist: `privet init` writes one") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a directory: name the file, usually privet.toml") from error
    except PermissionError as error:
        raise ConfigError(f"{path} may not be read by this user") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def _parsed(path: Path, file: IO[bytes]) -> dict[str, Any]:
    """What an open file holds."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path} is longer than {MOST_BYTES} bytes: it is no configuration")
    try:
        return tomllib.loads(data.decode())
    except RecursionError as error:
        raise ConfigError(f"{path} is not a configuration: tables or arrays are nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are; so is a number that is too long
        raise ConfigError(f"{path} is not TOML: {error}") from error


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        location = [str(part) for part in item["loc"]]
        where = ".".join(location)
        if item["type"] == "extra_forbidden":
            lines.append(f"{path}: {where} is not known{_nearest(location[-1], _keys_beside(location))}")
        elif item["type"] == "missing":
            lines.append(f"{path}: {where} is missing")
        else:
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{path}: {where}: {message}" if where else f"{path}: {message}")
    return "\n".join(lines)


def _keys_beside(location: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location[:-1]:
        if model is Config and part == "cameras":
            model = Camera
            continue
        if model is Camera and part not in Camera.model_fields:
            continue  # the camera's id
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f": did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""
