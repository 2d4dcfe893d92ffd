"""Where reports come from; each module reads one kind of source and stores nothing."""
