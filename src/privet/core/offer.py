"""What a worker, which makes offers to sign, and the supervisor, which checks them, must have the same."""

from __future__ import annotations

from privet.core.clock import NS_PER_S

OFFER_ID_BYTES = 16
OFFER_NS = 300 * NS_PER_S       # how long an offer may be signed
OFFER_EVERY_NS = 10 * NS_PER_S  # each of the two holds to it
