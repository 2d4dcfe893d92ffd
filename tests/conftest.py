"""Fixtures that all tiers share."""

pytest_plugins = ["tests.databases", "tests.integration.github.fixtures"]
