"""What has the host's ports: it hands every port on, and nothing of the stack is in it."""

from components import edge_ports
from components.workload import Port, Workload


def workload(*published: Port) -> Workload:
    return edge_ports.workload("friday-litellm/edge:1", published or (Port(3000, 3000),), (4000, 8404), 8404, "edge")


def test_each_port_is_handed_on_and_all_but_the_operations_with_the_caller() -> None:
    text = workload(Port(3000, 3000), Port(443, 3443, "0.0.0.0")).command[-1]  # noqa: S104
    for port in (3000, 3443, 4000):
        assert f"bind :{port}\n" in text
        assert f"server edge unix@/var/tmp/current/{port} send-proxy-v2\n" in text
    assert "server edge unix@/var/tmp/current/8404\n" in text


def test_its_form_is_another_with_other_ports_and_the_same_with_another_image() -> None:
    one = workload()
    assert edge_ports.workload("other:2", one.ports, (4000, 8404), 8404, "edge").form() == one.form()
    assert workload(Port(3001, 3000)).form() != one.form()
    assert workload(Port(3000, 3000, "0.0.0.0")).form() != one.form()  # noqa: S104


def test_it_takes_11_000_connections_and_one_of_an_earlier_version_the_4_000_that_it_was_made_with() -> None:
    now = workload()
    assert now.earlier is not None
    assert "fd-hard-limit 22100\n" in now.command[-1]
    assert "maxconn" not in now.command[-1]
    assert "    maxconn 4000\n    nbthread" in now.earlier.command[-1]
    assert now.form() != now.earlier.form()
