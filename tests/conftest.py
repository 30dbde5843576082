"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Times on a shared machine and first compilations of kernels say nothing about the property.
settings.register_profile("privet", deadline=None)
settings.load_profile("privet")
