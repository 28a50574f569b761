"""The settings for pages that need JavaScript: which browser renders them, and what that may cost."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from config.quantities import Seconds, Size  # noqa: TC001 - pydantic reads annotations


class RenderSettings(BaseModel):
    """What holds for every source with `render: playwright`."""

    render_browser: Path | None = None
    """Chromium or Chrome; by default the first that is found in `PATH`."""
    render_sandbox: bool = True
    """Whether the browser confines its own processes; it cannot as root, or where there are no user namespaces."""
    render_seconds: Seconds = Field(20.0, gt=0, le=3_600, allow_inf_nan=False)
    """A browser that is still at one page after that long, waiting for the web not counted, is killed."""
    render_settle_seconds: Seconds = Field(10.0, ge=0, le=300, allow_inf_nan=False)
    """So long, by its own clock, a page has for its scripts before it is taken as it is then."""
    render_requests: int = Field(60, ge=0, le=10_000)
    """Scripts and data that one page may ask for."""
    render_memory_bytes: Size = Field(2 * 1024**3, ge=256 * 1024**2, le=1024**4)
    """Memory of the browser's processes together; one that holds more is killed."""

    @field_validator("render_browser")
    @classmethod
    def _expand_browser(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser()
        except RuntimeError as error:
            raise ValueError("a path without `~`: there is no home folder") from error
