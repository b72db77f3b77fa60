collect_ignore = ["benchmarks", "load", "refresh_lessons.py"]  # scripts that are run by hand
