"""Slots of each source, and the daemon that starts a run for each: a process of its own."""

from jobs.schedule.daemon import EpochTrigger, find_slot, make_trigger, run_daemon

__all__ = ["EpochTrigger", "find_slot", "make_trigger", "run_daemon"]
