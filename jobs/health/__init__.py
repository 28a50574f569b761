"""How each source stands: ok, degraded, silent, failing or blocked, with the reasons, from what the archive holds."""

from jobs.health.states import Figures, Reason, SourceHealth, State

__all__ = ["Figures", "Reason", "SourceHealth", "State"]
