"""What a team sets in ``triage.yaml``: its models, capabilities, rules, sources and policy."""
