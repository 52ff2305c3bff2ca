#!/bin/sh
# What: Vega-Lite 6.4 in vl-convert-python 1.9.0.post1, config {"aria": false}.
# Expected: a drawing that says nothing to a screen reader: every mark hidden,
#   as "ARIA default attributes for marks and guides" reads.
# Seen: axes are hidden; points lose their names, and the group around them
#   becomes role="graphics-symbol" without one: a picture that has no name
#   (axe-core: svg-img-alt, serious). {"aria": false} on the mark hides it.
# Needs: python3 with pip.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

cat > "$tmp/check.py" <<'PYTHON'
import re
import sys

import vl_convert


def drawn(config, mark):
    svg = vl_convert.vegalite_to_svg(
        {
            "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
            "mark": {"type": "point"} | mark,
            "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
            "config": config,
        },
        vl_version="6.4",
        allowed_base_urls=[],
    )
    pictures = re.findall(r'<[^>]*role="graphics-symbol"[^>]*>', svg[svg.index("mark-symbol") - 10 :])
    return len(pictures), sum("aria-label" in picture for picture in pictures)


seen = {
    "as it is": drawn({}, {}),
    "config.aria false": drawn({"aria": False}, {}),
    "mark.aria false": drawn({}, {"aria": False}),
}
for name, (pictures, named) in seen.items():
    print(f"  {name}: {pictures} pictures for a screen reader, {named} of them with a name")
if list(seen.values()) != [(2, 2), (1, 0), (0, 0)]:
    sys.exit("behaviour changed: expected 2 with 2 names, 1 with none, and 0")
PYTHON

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" "vl-convert-python==1.9.0.post1"
echo "vl-convert-python 1.9.0.post1, Vega-Lite 6.4"
PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
