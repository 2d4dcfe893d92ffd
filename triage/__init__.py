"""Production feedback triage for the team that trains a language model."""

__version__ = "0.1.0"
