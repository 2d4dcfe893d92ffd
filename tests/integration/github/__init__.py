"""A real GitHub API on this machine, with a proxy in front that can fail on purpose."""
