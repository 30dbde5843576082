"""The blind box: the process in which live pixels exist, and what it may do."""
