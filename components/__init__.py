"""WHAT is deployed: settings, and one Pulumi component a part."""
