"""What is said about the installation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteValues:
    """As the configuration says. retention_reason: why longer than 72 hours; empty otherwise."""

    name: str
    timezone: str
    version: str
    controller: str
    retention_hours: int
    retention_reason: str
