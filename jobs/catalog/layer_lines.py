"""The kinds of lines in a checkpoint's layers: their tables, what tells one from another, and how all are walked."""

from __future__ import annotations

TABLE_OF = {
    "commit": "commits",
    "segment": "segments",
    "capture": "captures",
    "run": "runs",
    "slot": "slots",
    "article": "articles",
    "revision": "revisions",
    "adoption": "adoptions",
}
JUDGED = {"capture": ("verdict", "revision", "metadata", "judged_class"), "snapshot": ("own",)}
"""Columns that the fold writes."""
FACT_KEYS = {
    "adoption": ("seq", "number"),
    "article": ("url",),
    "capture": ("segment", "n"),
    "commit": ("seq",),
    "derivation": ("derivation",),
    "run": ("run",),
    "segment": ("segment",),
    "slot": ("slot", "outcome", "through", "slots", "run", "reason", "schedule"),
    "snapshot": ("segment", "n", "derivation"),
}
FACTS = {
    "adoption": "SELECT *, seq AS in_commit FROM adoptions WHERE source = ? ORDER BY seq, number",
    "article": "SELECT url, seq, seq AS in_commit FROM articles WHERE source = ? ORDER BY url",
    "capture": "SELECT c.*, s.seq AS in_commit FROM captures c JOIN segments s USING (segment) WHERE s.source = ?"
    " ORDER BY c.segment, c.n",
    "commit": "SELECT *, seq AS in_commit FROM commits WHERE source = ? ORDER BY seq",
    "derivation": "SELECT *, 0 AS in_commit FROM derivations WHERE ? != '' ORDER BY derivation",
    "run": "SELECT *, seq AS in_commit FROM runs WHERE source = ? ORDER BY run",
    "segment": "SELECT *, seq AS in_commit FROM segments WHERE source = ? ORDER BY segment",
    "slot": "SELECT *, seq AS in_commit FROM slots WHERE source = ?"
    " ORDER BY slot, outcome, through, slots, run, reason, schedule",
    "snapshot": "SELECT *, seq AS in_commit FROM snapshots WHERE source = ? ORDER BY segment, n, derivation",
}
