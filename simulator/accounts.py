"""Accounts, their free-model limits and their charges. Pure: time is passed in, nothing does I/O.

Rules (OpenRouter's published limits): 20 requests a minute to `:free` models, and 50 a UTC day, or 1,000
when 10 credits were ever bought; both hold for the account over all `:free` models together. A request that
is refused by one of these limits is not counted again; one that fails later is.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Literal, NamedTuple

from simulator import errors

MINUTE = 60
DAY = 86_400
FREE_RPM = 20
FREE_RPD = 50
FREE_RPD_AFTER_PURCHASE = 1_000
PURCHASE_THRESHOLD = Decimal(10)
_VISIBLE_KEY_LENGTH = 24
"""The ends of keys of this length can be shown in a label without risk."""
_KEPT_LINES = 500
_KEPT_DAYS = 40
"""Long enough for a month and the days around it."""


Block = Literal["data_policy", "guardrail", "key_refused", "key_limit"]
"""Those of `simulator.faults.RefusalKind` that are an account's, and not its balance."""


@dataclass(frozen=True)
class Limits:
    """Free-model limits; `rpd` None means 50 or 1,000 by what the account ever bought."""

    rpm: int = FREE_RPM
    rpd: int | None = None

    def per_day(self, credits_bought: Decimal) -> int:
        """Return the number of free-model requests that an account may make in one UTC day."""
        if self.rpd is not None:
            return self.rpd
        return FREE_RPD_AFTER_PURCHASE if credits_bought >= PURCHASE_THRESHOLD else FREE_RPD


@dataclass
class FreeQuota:
    """Requests counted in the running minute and UTC day, both in fixed windows."""

    minute: int = -1
    minute_used: int = 0
    day: int = -1
    day_used: int = 0

    def roll(self, now: float) -> None:
        """Reset windows that have ended; `now` in epoch seconds."""
        minute, day = int(now // MINUTE), int(now // DAY)
        if minute != self.minute:
            self.minute, self.minute_used = minute, 0
        if day != self.day:
            self.day, self.day_used = day, 0

    def take(self, now: float, rpm: int, rpd: int, *, high_balance: bool = False) -> None:
        """Count one request. Raises `ApiError` 429, without counting, when a limit is reached."""
        self.roll(now)
        if self.day_used >= rpd:
            small = "day. Add 10 credits to unlock 1000 free model requests per day"
            reset_ms = (self.day + 1) * DAY * 1000
            what = "day-high-balance." if high_balance else small
            raise errors.free_limit_reached(what, rpd, reset_ms, "daily")
        if self.minute_used >= rpm:
            reset_ms = (self.minute + 1) * MINUTE * 1000
            raise errors.free_limit_reached("min.", rpm, reset_ms, "per_minute")
        self.minute_used += 1
        self.day_used += 1


@dataclass
class Account:
    """One OpenRouter account; `credits_bought` and `usage` are US dollars."""

    name: str
    credits_bought: Decimal = Decimal(0)
    usage: Decimal = Decimal(0)
    daily_usage: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    quota: FreeQuota = field(default_factory=FreeQuota)
    minute_limit: int | None = None
    day_limit: int | None = None
    """Free-model limits of this account alone, where it has any."""
    blocked_by: Block | None = None
    """A setting of the account that refuses every model."""

    @property
    def user_id(self) -> str:
        """Return the id in error bodies; it is derived from the name, so it is stable."""
        return f"user_{sha256(self.name.encode()).hexdigest()[:27]}"

    @property
    def balance(self) -> Decimal:
        """Return the dollars left; negative when more was used than bought."""
        return self.credits_bought - self.usage

    def take_free_request(self, limits: Limits, now: float) -> None:
        """Count one request to a `:free` model. Raises `ApiError` 429."""
        high = self.credits_bought >= PURCHASE_THRESHOLD
        self.quota.take(now, self.per_minute(limits), self.per_day(limits), high_balance=high)

    def per_minute(self, limits: Limits) -> int:
        """Return its requests a minute to free models."""
        return limits.rpm if self.minute_limit is None else self.minute_limit

    def per_day(self, limits: Limits) -> int:
        """Return its requests a UTC day to free models."""
        return limits.per_day(self.credits_bought) if self.day_limit is None else self.day_limit

    def require_funds(self, *, chargeable: bool) -> None:
        """Raise `ApiError` 402: a negative balance blocks all models, an empty one those with a price."""
        if self.balance < 0 or (chargeable and self.balance <= 0):
            raise errors.insufficient_credits(ever_bought=self.credits_bought > 0)

    def charge(self, cost: Decimal, now: float) -> None:
        """Book `cost` dollars at epoch second `now`."""
        self.usage += cost
        self.daily_usage[int(now // DAY)] += cost
        while len(self.daily_usage) > _KEPT_DAYS:
            del self.daily_usage[min(self.daily_usage)]

    def used_since(self, day: int) -> Decimal:
        """Return the dollars used on `day` (days since the epoch, UTC) and after it."""
        return sum((cost for used, cost in self.daily_usage.items() if used >= day), Decimal(0))


@dataclass(frozen=True)
class Charge:
    """One line of the bill."""

    time: float
    account: str
    model: str
    generation: str
    cost_usd: Decimal


@dataclass
class Bill:
    """The charges of all accounts together: the last lines and an exact total."""

    total: Decimal = Decimal(0)
    lines: deque[Charge] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))

    def add(self, charge: Charge) -> None:
        """Add one line."""
        self.total += charge.cost_usd
        self.lines.append(charge)


class KeyLine(NamedTuple):
    """One key: `key`, `key name`, or `key name management` for a second key of `name`,
    which sees credits but cannot chat."""

    key: str
    name: str
    management: bool = False

    @property
    def label(self) -> str:
        """The key's name in `GET /key`: its two ends, or the account's name when the key is short."""
        return f"{self.key[:9]}...{self.key[-3:]}" if len(self.key) >= _VISIBLE_KEY_LENGTH else self.name


class Accounts:
    """Finds accounts by key. The keys themselves are never shown."""

    def __init__(self, keys: Sequence[KeyLine], credits_bought: Decimal, limits: Limits) -> None:
        self._keys = {line.key: line for line in keys}
        self.limits = limits
        self.by_name = {line.name: Account(line.name, credits_bought) for line in keys if not line.management}

    def authenticate(self, authorization: str | None) -> tuple[Account, KeyLine]:
        """Return account and key of an `Authorization` header. Raises `ApiError` 401."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise errors.ApiError(401, "No auth credentials found")
        if (line := self._keys.get(key.strip())) is None:
            raise errors.ApiError(401, "User not found.")
        return self.by_name[line.name], line
