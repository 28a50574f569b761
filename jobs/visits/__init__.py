"""A look at the web of which nothing is kept: a program makes its polite requests in a process without credentials."""

from jobs.visits.process import make_visit
from jobs.visits.words import VisitStep

__all__ = ["VisitStep", "make_visit"]
