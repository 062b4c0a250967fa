"""Work that is shared among processes, on one or several hosts."""
