"""The endpoint that takes ratings of answers."""

from fastapi import APIRouter, Request

from friday.service.feedback import feedback
from friday.service.models import ErrorAnswer, FeedbackAnswer, FeedbackRequest
from friday.service.replies import Documented

PATHS = ("/api/feedback",)

_ERRORS: Documented = {status: {"model": ErrorAnswer} for status in (400, 403, 413, 422, 429)}

router = APIRouter(responses=_ERRORS)


@router.post(PATHS[0], response_model=FeedbackAnswer)
async def rate(request: Request, body: FeedbackRequest) -> FeedbackAnswer:
    """Rate an answer, within a day. It counts once, for the path that the answer took."""
    return FeedbackAnswer(counted=feedback(request).rate(body.token, body.rating))
