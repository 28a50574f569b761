"""What a preview found beside what the archive holds, as one page of HTML too."""

from jobs.previews.known import mark_known
from jobs.previews.page import render_preview
from jobs.previews.telling import describe_preview, list_lines

__all__ = ["describe_preview", "list_lines", "mark_known", "render_preview"]
