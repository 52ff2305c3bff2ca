"""What users notice of another image of the edge."""

from benchmarks.figures import Figure
from benchmarks.load_during import LoadDuring, failed_requests, under_load
from benchmarks.second_image import second_image
from benchmarks.test_stack import TestStack


def edge_image(stack: TestStack) -> list[Figure]:
    """Bring another image of the edge, and then the first one again, while users ask."""
    edge = stack.project.settings["edge"]
    first = stack.project.images()["edge"]
    with second_image(stack.project, first) as second:
        seen = [_changed(stack, {**edge, "image": second}), _changed(stack, edge)]
    return [
        failed_requests("another image of the edge: failed requests", 0, seen),
        Figure("another image of the edge: the whole command", None, "s", tuple(done.seconds for done in seen)),
    ]


def _changed(stack: TestStack, edge: dict[str, object]) -> LoadDuring:
    before = {container.id for container in stack.project.containers("edge")}
    stack.project.configure({"edge": edge})
    done = under_load(stack.project.url, stack.bring_up)
    if before & {container.id for container in stack.project.containers("edge")}:
        raise RuntimeError("the edge was not replaced")
    return done
