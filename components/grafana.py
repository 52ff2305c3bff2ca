"""Grafana, for those who name its image: the stack's dashboards over the stack's Prometheus."""

import yaml

from components import prometheus
from components.dashboards.build import dashboards
from components.part import Given, Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.settings.stack import StackSettings
from components.workload import FILES_DIR, GATEWAY_NETWORK, File, Port, Workload

NAME = "grafana"
PORT = 3000
DATA_DIR = "/var/lib/grafana"
_PROVISIONING, _DASHBOARDS, _PASSWORD = "provisioning", "dashboards", "secrets/grafana_password"
_DATA_MB = 256

_NOTHING_LEAVES = {
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    # Versions 12 and 13 fetch plugins at every start, the one for Prometheus too: the image has what it needs.
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
}
"""What Grafana asks the internet for by itself, switched off (its documentation of the configuration)."""


def joins(settings: StackSettings) -> bool:
    """Return whether a stack has it."""
    return settings.monitoring.grafana.image is not None


def _workload(given: Given) -> Workload:
    """Declare Grafana. It keeps nothing: dashboards and data source are files, and a new password is in force at once.

    It is on the gateway's network, where Prometheus is: on Friday's it could ask the gateway without a key.
    """
    settings = given.settings.monitoring.grafana
    password = given.settings.grafana_password
    if settings.image is None or password is None:
        raise ValueError("there is no Grafana without an image and a password")
    return Workload(
        part=NAME,
        image=settings.image,
        command=(),
        networks=(GATEWAY_NETWORK,),
        # Its images have busybox, or GNU's wget, and some no bash.
        probe=HealthProbe(port=PORT, path="/api/health", client=ProbeClient.WGET, start_period_seconds=90),
        memory_mb=settings.memory_mb,
        user="472:0",
        env={
            "GF_AUTH_ANONYMOUS_ENABLED": "false",
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{FILES_DIR}/{_PASSWORD}",
            "GF_PATHS_DATA": DATA_DIR,
            "GF_PATHS_PROVISIONING": f"{FILES_DIR}/{_PROVISIONING}",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{FILES_DIR}/{_DASHBOARDS}/rollout.json",
            **_NOTHING_LEAVES,
        },
        files={
            f"{_PROVISIONING}/datasources/prometheus.yaml": File(_data_source(given)),
            f"{_PROVISIONING}/dashboards/friday.yaml": File(_provider()),
            **{
                f"{_DASHBOARDS}/{name}.json": File(dashboard.text())
                for name, dashboard in dashboards(given.stack, given.settings).items()
            },
            _PASSWORD: secret_file(password.get_secret_value()),
        },
        ports=(Port(settings.port, PORT),),
        stop_grace_seconds=30,
        tmpfs={DATA_DIR: _DATA_MB},
    )


def _data_source(given: Given) -> str:
    """Return the file that makes the stack's Prometheus the data source of all dashboards."""
    source = {
        "name": "Prometheus",
        "uid": "friday-prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://{given.host(prometheus.NAME)}:{prometheus.PORT}",
        "isDefault": True,
        "editable": False,
        # What $__rate_interval is made of.
        "jsonData": {"timeInterval": f"{given.settings.monitoring.scrape_seconds}s", "httpMethod": "POST"},
    }
    return yaml.safe_dump({"apiVersion": 1, "datasources": [source]}, sort_keys=False)


def _provider() -> str:
    """Return the file that says where the dashboards are."""
    provider = {
        "name": "friday",
        "folder": "Friday",
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "options": {"path": f"{FILES_DIR}/{_DASHBOARDS}"},
    }
    return yaml.safe_dump({"apiVersion": 1, "providers": [provider]}, sort_keys=False)


PART = Part(NAME, setting="monitoring.grafana", workload=_workload, joins=joins)
