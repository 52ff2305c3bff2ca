"""POST /api/v1/chat/completions."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from simulator import answers
from simulator.accounts import Account, Charge
from simulator.admission import Admission, admit, parse
from simulator.bodies import SSE, body_response, pace_of, plain_body, stream_body, whole
from simulator.errors import ApiError
from simulator.faults import Body, Close, Cut, Drip, Fault, Hang, SlowFirstToken
from simulator.journal import Generation, Record
from simulator.replies import Reply
from simulator.state import GENERATION_DELAY_SECONDS, Simulator
from simulator.thoughts import thoughts_of
from simulator.transports import drop, wait_for_disconnect


async def chat_completions(request: Request) -> Response:
    """Answer a chat request as OpenRouter would, or fail as the active faults demand."""
    sim: Simulator = request.app.state.simulator
    record = sim.journal.open(sim.clock.now(), request.method, request.url.path)
    account: Account | None = None
    try:
        account, key = sim.accounts.authenticate(request.headers.get("authorization"))
        record.account = account.name
        if key.management:
            raise ApiError(403, "Management keys cannot be used for completions")
        return await _complete(sim, request, record, account)
    except ApiError as error:
        record.close(sim.clock.now(), "refused", error.status)
        return error.response(account.user_id if account else None)


async def _complete(sim: Simulator, request: Request, record: Record, account: Account) -> Response:
    chat = parse(await request.body())
    record.stream, record.body_fields = chat.stream, chat.field_names()
    sim.journal.name_models(record, chat.wanted_models)
    admission = admit(sim, account, chat)
    record.served_model = admission.model.id
    if isinstance(admission.fault, Hang | Close):
        return await _no_answer(sim, request, record, admission.fault)
    latency = sim.faults.latency_seconds(admission.model.id)
    reply = _reply(sim, chat, admission)
    if isinstance(admission.fault, Body):
        await asyncio.sleep(latency)
        record.close(sim.clock.now(), _outcome(admission.fault), 200)
        return body_response(admission.fault, reply, stream=chat.stream)
    _book(sim, account, record, reply, latency)
    return await _send(sim, request, record, reply, admission.fault, latency)


def _reply(sim: Simulator, chat: answers.ChatRequest, admission: Admission) -> Reply:
    model = admission.model
    thoughts = thoughts_of(chat, model, admission.fault)
    structured = "response_format" in model.supported_parameters
    answer = answers.answer(chat, model.id, structured=structured, thoughts=thoughts.steps)
    return Reply(sim.next_generation_id(), int(sim.clock.now()), admission, answer, thoughts)


async def _no_answer(sim: Simulator, request: Request, record: Record, fault: Hang | Close) -> Response:
    record.outcome = _outcome(fault)
    try:
        if isinstance(fault, Close):
            await drop(request, reset=fault.reset)
        else:
            await wait_for_disconnect(request, sim.faults.changed)
    finally:
        record.close(sim.clock.now(), _outcome(fault), None)
    return ApiError(503, "Released from a fault").response()  # a caller who has left does not get it


def _book(sim: Simulator, account: Account, record: Record, reply: Reply, latency: float) -> None:
    """Charge the answer when it begins, and add it to `GET /generation`."""
    now = sim.clock.now()
    if reply.cost:
        account.charge(reply.cost, now)
        sim.bill.add(Charge(now, account.name, reply.to.model.id, reply.id, reply.cost))
        record.cost_usd = float(reply.cost)
    ready_at = now + latency + GENERATION_DELAY_SECONDS
    data = reply.generation(streamed=record.stream, latency_ms=latency * 1000)
    sim.generations.append(Generation(account.name, ready_at, data))


def _outcome(fault: Fault | None) -> str:
    return "ok" if fault is None else f"fault:{fault.kind}"


async def _send(
    sim: Simulator, request: Request, record: Record, reply: Reply, fault: Fault | None, latency: float
) -> Response:
    headers = {"X-Generation-Id": reply.id}
    if record.stream or reply.thoughts.steps or isinstance(fault, Cut | Drip | SlowFirstToken):
        pace = pace_of(latency, sim.settings.token_ms / 1000, fault, stream=record.stream)
        make, media_type = (stream_body, SSE) if record.stream else (plain_body, "application/json")
        body = _recorded(sim, record, make(reply, pace, fault, partial(drop, request)), fault)
        if record.stream:
            headers["Cache-Control"] = "no-cache"
        return StreamingResponse(body, media_type=media_type, headers=headers)
    await asyncio.sleep(latency)
    record.close(sim.clock.now(), _outcome(fault), 200)
    return JSONResponse(whole(reply, fault), headers=headers)


async def _recorded(
    sim: Simulator, record: Record, body: AsyncIterator[bytes], fault: Fault | None
) -> AsyncIterator[bytes]:
    """Yield the body and record its end; a caller who leaves early is an outcome of its own."""
    outcome = _outcome(fault) if fault else "caller left"
    try:
        async for part in body:
            yield part
        outcome = _outcome(fault)
    finally:
        record.close(sim.clock.now(), outcome, 200)
