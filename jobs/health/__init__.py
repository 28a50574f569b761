"""How each source stands: ok, degraded, silent, failing or blocked, with the reasons, from what the archive holds."""

from jobs.health.reading import HealthMemory, read_health, recall_tally
from jobs.health.slots import BAD_ENDS
from jobs.health.states import Figures, Reason, SourceHealth, State

__all__ = ["BAD_ENDS", "Figures", "HealthMemory", "Reason", "SourceHealth", "State", "read_health", "recall_tally"]
