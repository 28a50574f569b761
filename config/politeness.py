"""How gently a publisher's hosts are treated: a part of a source."""

from __future__ import annotations

from pydantic import Field

from config.rules import StrictModel

_DAY = 86_400


class Politeness(StrictModel):
    """How gently a publisher's hosts are treated. robots.txt is always obeyed; there is no switch."""

    delay_seconds: float = Field(default=5.0, ge=0, le=3_600, allow_inf_nan=False)
    """Between two requests to one host."""
    concurrent_requests: int = Field(default=1, ge=1, le=16)
    """To one host at a time."""
    rechecks_per_day: int | None = Field(default=None, ge=0, le=10_000_000)
    """Known articles that are looked at again at one host in any 24 hours; `None`: as the delay says."""

    @property
    def recheck_budget(self) -> int | None:
        """Rechecks of one host a day: by default a quarter of the requests that the delay lets through; `None`: all."""
        if self.rechecks_per_day is not None or not self.delay_seconds:
            return self.rechecks_per_day
        return max(1, int(_DAY / self.delay_seconds) // 4)
