"""Pages that need JavaScript: a browser without a network, in a process of its own, and our end of it.

`renderer` is our end and light; `main` is the process, `confinement` takes its network away, `browser` drives Chromium.
"""
