"""Editions: what is handed out is made from the committed course, never from the files as they lie on disk.

`source` reads the course, `learner` and `instructor` make pages of it, `lab` keeps the learner's own folder up to date.
"""
