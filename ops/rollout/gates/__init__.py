"""The gates between two steps: evidence in, verdicts out. Pure: no Pulumi, no HTTP, no clock."""
