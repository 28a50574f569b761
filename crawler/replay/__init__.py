"""Pages and style sheets as captured → the same to be looked at: with what is at hand for them, and nothing else.

What comes out is meant for a sandbox without scripts or network; that is the wall. This keeps what lies before it tidy.
"""

from crawler.replay.page import replay_page
from crawler.replay.styles import replay_sheet

__all__ = ["replay_page", "replay_sheet"]
