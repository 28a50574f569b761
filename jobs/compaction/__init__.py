"""Cold storage: old segments of a source, repacked many to an object as `.warc.zst`, each record proven equal.

Chosen (`choosing`), written on this disk behind a dictionary of their own pages (`dictionary`, `packing`), put, read
back and proven (`proving`), committed, and the old objects deleted after a grace period (`running`).
"""
