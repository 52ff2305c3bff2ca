"""Grafana's dashboards of a stack, as code: each panel shows indicators, with the stack's own thresholds."""
