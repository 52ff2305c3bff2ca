"""The operator API under /admin: faults, records, bill, accounts, catalogue, clock, reset."""

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from simulator.accounts import Account, Block
from simulator.catalogue import Model, ModelUpdate, retirement
from simulator.errors import ApiError
from simulator.faults import Fault
from simulator.state import Serving, Simulator

router = APIRouter(prefix="/admin")
Count = Annotated[int, Field(ge=0)]
Listed = Annotated[int, Query(ge=1, le=5000)]


class AccountUpdate(BaseModel, extra="forbid"):
    """A change to one account; dollars, and requests of the running minute and day. Absent fields stay.

    null takes back a limit of its own, or a block.
    """

    credits_bought: Annotated[Decimal, Field(ge=0)] | None = None
    usage: Annotated[Decimal, Field(ge=0)] | None = None
    minute_used: Count | None = None
    day_used: Count | None = None
    minute_limit: Count | None = None
    day_limit: Count | None = None
    blocked_by: Block | None = None


_MAY_BE_ABSENT = ("minute_limit", "day_limit", "blocked_by")


class ClockUpdate(BaseModel, extra="forbid"):
    """Move the simulator's time forward."""

    advance_seconds: Annotated[float, Field(ge=0, le=400 * 86_400)]


class Reset(BaseModel, extra="forbid"):
    """Options of a reset."""

    seed: int | None = None


@router.get("/faults")
async def get_faults(sim: Serving) -> list[dict[str, Any]]:
    """Return the active faults, each with the number of requests that it affected."""
    return sim.faults.as_json()


@router.put("/faults")
async def put_faults(sim: Serving, faults: list[Fault]) -> list[dict[str, Any]]:
    """Activate exactly these faults."""
    sim.faults.replace(faults)
    return sim.faults.as_json()


@router.delete("/faults")
async def delete_faults(sim: Serving) -> list[dict[str, Any]]:
    """Deactivate all faults."""
    return await put_faults(sim, [])


@router.get("/requests")
async def get_requests(sim: Serving, since: float = 0.0, after_seq: int = 0, limit: Listed = 1000) -> dict[str, Any]:
    """Return the newest `limit` requests that began after epoch second `since`, and totals since the last reset."""
    journal = sim.journal
    found = [asdict(record) for record in journal.records if record.time > since and record.seq > after_seq]
    return {"total": journal.total, "by_model": journal.by_model, "requests": found[-limit:]}


@router.get("/bill")
async def get_bill(sim: Serving, limit: Listed = 100) -> dict[str, Any]:
    """Return the charges, in US dollars."""
    lines = list(sim.bill.lines)[-limit:]
    shown = [{**asdict(line), "cost_usd": float(line.cost_usd)} for line in lines]
    return {"total_usd": float(sim.bill.total), "requests": shown}


@router.get("/accounts")
async def get_accounts(sim: Serving) -> list[dict[str, Any]]:
    """Return every account with its balance and its free-model quota."""
    return [_account_json(sim, account) for account in sim.accounts.by_name.values()]


@router.patch("/accounts/{name}")
async def patch_account(sim: Serving, name: str, change: AccountUpdate) -> dict[str, Any]:
    """Set credits, usage or quota counters of an account."""
    account = sim.accounts.by_name.get(name)
    if account is None:
        raise ApiError(404, f"No account {name}")
    account.quota.roll(sim.clock.now())
    for field, value in change.model_dump(exclude_unset=True).items():
        if value is None and field not in _MAY_BE_ABSENT:
            continue
        setattr(account.quota if field.endswith("_used") else account, field, value)
    return _account_json(sim, account)


def _account_json(sim: Simulator, account: Account) -> dict[str, Any]:
    account.quota.roll(sim.clock.now())
    return {
        "name": account.name,
        "credits_bought": float(account.credits_bought),
        "usage": float(account.usage),
        "balance": float(account.balance),
        "minute_used": account.quota.minute_used,
        "minute_limit": account.per_minute(sim.accounts.limits),
        "day_used": account.quota.day_used,
        "day_limit": account.per_day(sim.accounts.limits),
        "blocked_by": account.blocked_by,
    }


@router.get("/models")
async def get_models(sim: Serving) -> list[dict[str, Any]]:
    """Return the whole catalogue, with fields that the public listing does not have."""
    return [_model_json(sim, model) for model in sim.catalogue.models.values()]


@router.patch("/models")
async def patch_model(sim: Serving, change: ModelUpdate) -> dict[str, Any]:
    """Retire, restore, expire or re-price a model."""
    return _model_json(sim, sim.catalogue.update(change))


def _model_json(sim: Simulator, model: Model) -> dict[str, Any]:
    shown = model.model_dump(include=set(ModelUpdate.model_fields))
    return {**shown, "retired": retirement(model, sim.clock.today())}


@router.get("/clock")
async def get_clock(sim: Serving) -> dict[str, float]:
    """Return the simulator's time in epoch seconds, and how far it was moved."""
    return {"now": sim.clock.now(), "offset_seconds": sim.clock.offset}


@router.post("/clock")
async def post_clock(sim: Serving, change: ClockUpdate) -> dict[str, float]:
    """Move the time forward: into the next minute, past UTC midnight, past an expiration date."""
    sim.clock.offset += change.advance_seconds
    return await get_clock(sim)


@router.post("/reset")
async def post_reset(sim: Serving, options: Reset | None = None) -> dict[str, bool]:
    """Restore the state after a start."""
    sim.reset(options.seed if options else None)
    return {"reset": True}
