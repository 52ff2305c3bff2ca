"""What users say of answers, as Friday counts it. What operators enter stands in the history, and in no metric."""

from indicators import selectors
from indicators.indicator import Indicator, count, share
from indicators.selectors import DIRECT_PATH, GATEWAY_PATHS

_SHOW = "`./fridayctl feedback STACK` shows it with what operators entered"

FEEDBACK = (
    Indicator(
        "feedback",
        "Ratings by path",
        "count",
        "users' ratings of answers, by the path that answered and by `up`, `down` or `complaint`",
        _SHOW,
        count(selectors.ratings(*GATEWAY_PATHS, *DIRECT_PATH), "path", "rating"),
        ("path", "rating"),
    ),
    Indicator(
        "complaint_rate",
        "Bad ratings of LiteLLM's users",
        "ratio",
        "bad ratings (`down`, `complaint`) for each answer of the gateway's users, those that fell back included; the "
        "gate `complaints` judges it",
        f"{_SHOW}; `./fridayctl rollback STACK` goes back",
        share(selectors.bad_ratings(*GATEWAY_PATHS), selectors.judged(*GATEWAY_PATHS)),
    ),
    Indicator(
        "direct_complaint_rate",
        "Bad ratings of the others",
        "ratio",
        "the same of the direct path's users, whom the gate `complaints` compares them with",
        f"{_SHOW}; it is the direct model (`friday.directModel`), not the gateway",
        share(selectors.bad_ratings(*DIRECT_PATH), selectors.judged(*DIRECT_PATH)),
    ),
)
