"""Everything that talks to Pulumi, or reads its files."""
