"""Service level indicators: one definition of every number that gates, alerts, reports, dashboards and pages show.

Pure: Prometheus' language as text, and words. Nothing is asked here.
"""

from indicators.indicator import Indicator, Unit
from indicators.registry import INDICATORS

__all__ = ["INDICATORS", "Indicator", "Unit"]
