"""Slots of each source, and the daemon (jobs.schedule.daemon) that starts a run for each: a process of its own."""

from jobs.schedule.slots import Slots, make_slots

__all__ = ["Slots", "make_slots"]
