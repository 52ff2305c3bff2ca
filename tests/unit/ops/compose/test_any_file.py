"""Whatever stands in a compose file, it is adopted or refused with a sentence: never a traceback."""

from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.compose.adoption import adopted
from ops.compose.shape import _Service
from ops.errors import OperationError

KEYS = [*_Service.model_fields, "network_mode", "expose", "secrets", "cpus", "mem_limit"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70000),
    st.sampled_from(["", "a", "3000:3000", "a:/b", "1m", "A=b", "${A:-b}", "/x", "default", "curl http://localhost/"]),
)
WORDS = st.sampled_from(["test", "target", "source", "type", "resources", "limits", "memory", "path", "published", "A"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
SERVICES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
OTHERS = st.dictionaries(st.sampled_from(["networks", "volumes", "name", "include"]), VALUES, max_size=2)


@settings(max_examples=300)
@given(friday=SERVICES.map(lambda body: {"image": "r/f:1", **body}), other=SERVICES | VALUES, top=OTHERS)
def test_no_file_ends_in_a_traceback(friday: object, other: object, top: dict[str, object]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "compose.yml"
        path.write_text(yaml.safe_dump({**top, "services": {"friday": friday, "other": other}}))
        try:
            found = adopted(path, None, "friday", {})
        except OperationError as error:
            assert error.fix
        else:
            assert found.settings["friday"]["image"]
