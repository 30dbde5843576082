"""How often somebody may try wrong: token buckets, pure.

Only what was found to be wrong is counted. Secrets are 256 random bits: there is nothing to guess, and a limit on right ones would let
anybody lock everybody out. What a try costs is bounded by the threads that look tokens up, and by the port.

Belongs here: the arithmetic and the two levels (per address and all together). Does not belong here: clocks, addresses' meaning.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` tries at once, one more every `refill_ns`."""

    burst: int
    refill_ns: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Whole tries left, and since when the next one is filling."""

    tries: int
    since_ns: int


def full(rate: Rate, now_ns: int) -> Bucket:
    """A bucket nobody has drawn from."""
    return Bucket(rate.burst, now_ns)


def refill(bucket: Bucket, rate: Rate, now_ns: int) -> Bucket:
    """The bucket at `now_ns` (monotonic)."""
    gained = max(0, now_ns - bucket.since_ns) // rate.refill_ns
    tries = bucket.tries + gained
    if tries >= rate.burst:
        return Bucket(rate.burst, now_ns)
    return Bucket(tries, bucket.since_ns + gained * rate.refill_ns)


def draw(bucket: Bucket, rate: Rate, now_ns: int) -> tuple[Bucket, int]:
    """Take one try. Returns the bucket after it and 0, or how many ns to wait."""
    bucket = refill(bucket, rate, now_ns)
    if bucket.tries > 0:
        return replace(bucket, tries=bucket.tries - 1), 0
    return bucket, bucket.since_ns + rate.refill_ns - now_ns


PER_ADDRESS = Rate(burst=5, refill_ns=12_000_000_000)
ALL_TOGETHER = Rate(burst=50, refill_ns=1_000_000_000)
MAX_ADDRESSES = 4096


@dataclass(slots=True)
class Attempts:
    """Wrong tries to log in, per address and all together. At most MAX_ADDRESSES are remembered, the longest unseen goes first."""

    per_address: Rate = PER_ADDRESS
    all_together: Rate = ALL_TOGETHER
    _buckets: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)
    _all: Bucket | None = None

    def draw(self, address: str, now_ns: int) -> int:
        """Take one try for `address`. Returns 0 if it may go ahead, else how many ns to wait.

        An address that has none left takes none of everybody's.
        """
        own, wait_ns = draw(self._buckets.get(address) or full(self.per_address, now_ns), self.per_address, now_ns)
        if wait_ns == 0:
            everybody, wait_ns = draw(self._all or full(self.all_together, now_ns), self.all_together, now_ns)
            self._all = everybody
        self._buckets[address] = own
        self._buckets.move_to_end(address)
        while len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return wait_ns
