"""Files that other tools wrote (WARC, plain or squeezed, and WACZ) → exchanges of the sources, for an intake to keep.

Runs in the import's own process, which has no credentials: everything here is a stranger's, nothing is believed.
"""
