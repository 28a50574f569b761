"""Clean texts made anew from raw pages under the rules of now: first compared with those that decide, then adopted."""

from jobs.rebuild.running import Rebuild, RebuildOptions, rebuild_source

__all__ = ["Rebuild", "RebuildOptions", "rebuild_source"]
