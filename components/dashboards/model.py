"""The JSON of a Grafana dashboard, as far as ours use it.

It is the classic form, which Grafana 12 reads as it is and Grafana 13 takes over into its own form when it loads it
(https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/). Names are Grafana's.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA_VERSION = 41
"""Grafana 12.0's. Later ones raise it themselves; none lowers it."""

DATA_SOURCE = "${datasource}"
"""The dashboard's variable: whoever imports it chooses a Prometheus."""

UID_LENGTH = 40
"""Characters that Grafana gives a dashboard's uid."""

Unit = Literal["percentunit", "s", "short", "currencyUSD", "percent"]


class Json(BaseModel):
    """Base of all: written by the names that Grafana has."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class DataSource(Json):
    """A data source by its uid, or by the variable that holds it."""

    type: Literal["prometheus"] = "prometheus"
    uid: str = DATA_SOURCE


class Target(Json):
    """One query of a panel: over a time range, or at its end (`instant`)."""

    ref_id: str
    expr: str
    legend_format: str
    instant: bool
    range: bool
    editor_mode: Literal["code"] = "code"
    datasource: DataSource = DataSource()


class Step(Json):
    """From `value` on (None: from below) a number has this colour."""

    value: float | None
    color: str


class Thresholds(Json):
    """The colours of numbers, in rising order."""

    mode: Literal["absolute"] = "absolute"
    steps: tuple[Step, ...]


class Defaults(Json):
    """How the numbers of a panel are written and coloured."""

    unit: Unit
    no_value: str
    min: float = 0
    thresholds: Thresholds
    color: dict[str, str]
    custom: dict[str, Any]


class FieldConfig(Json):
    """`overrides` stays empty: no series of a panel is special."""

    defaults: Defaults
    overrides: tuple[()] = ()


class Place(Json):
    """Where a panel is, on a grid of 24 columns."""

    x: int = Field(ge=0, lt=24)
    y: int = Field(ge=0)
    w: int = Field(ge=1, le=24)
    h: int = Field(ge=1)


class Panel(Json):
    """A plot (`timeseries`) or a large number (`stat`)."""

    id: int
    type: Literal["timeseries", "stat"]
    title: str
    description: str
    grid_pos: Place
    interval: str
    targets: tuple[Target, ...]
    options: dict[str, Any]
    field_config: FieldConfig
    datasource: DataSource = DataSource()


class Row(Json):
    """A heading above the panels that follow."""

    id: int
    title: str
    grid_pos: Place
    type: Literal["row"] = "row"
    collapsed: Literal[False] = False
    panels: tuple[()] = ()


class Variable(Json):
    """A choice at the top of the dashboard."""

    name: str
    label: str
    query: str
    type: Literal["datasource"] = "datasource"
    hide: Literal[0] = 0


class Annotation(Json):
    """Marks in every plot."""

    name: str
    expr: str
    step: str
    title_format: str
    text_format: str
    icon_color: str = "blue"
    enable: Literal[True] = True
    datasource: DataSource = DataSource()


class Variables(Json):
    """The variables of a dashboard."""

    list: tuple[Variable, ...]


class Annotations(Json):
    """The marks of a dashboard."""

    list: tuple[Annotation, ...] = ()


class Dashboard(Json):
    """One dashboard; `uid` is its address in Grafana."""

    uid: str = Field(max_length=UID_LENGTH, pattern=r"^[a-zA-Z0-9_-]+$")
    title: str
    description: str
    tags: tuple[str, ...]
    panels: tuple[Panel | Row, ...]
    templating: Variables
    annotations: Annotations
    time: dict[str, str]
    refresh: str = "30s"
    timezone: Literal["browser"] = "browser"
    editable: Literal[True] = True
    graph_tooltip: Literal[1] = 1
    schema_version: int = SCHEMA_VERSION

    def text(self) -> str:
        """Return it as the JSON that Grafana imports."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
