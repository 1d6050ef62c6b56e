"""Read any autograd graph, put the numbers on it, walk it backwards. The public names are those of `course_utils`."""
