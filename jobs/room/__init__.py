"""The reading room: the archive as a site to read, search, compare and cite in. It writes nothing.

A request has a `Desk` before it (desk.py); a view (views/) makes of it what is told, as a page or as its JSON twin
(endpoints.py, answers.py).
"""
