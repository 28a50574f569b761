"""The daemon (jobs.schedule.daemon), which starts a run for each slot of each source: a process of its own."""
