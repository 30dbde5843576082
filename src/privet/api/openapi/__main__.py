"""Prints the OpenAPI document: `python -m privet.api.openapi`."""

from __future__ import annotations

import sys

from privet.api.app import bare_app
from privet.api.openapi.routes import text

sys.stdout.write(text(bare_app()))
