"""What is said between main process and worker when somebody signs: the requests, their limits, and the answers.

Belongs here: the requests' words. Does not belong here: who waits for an answer (main.pending_requests), what a worker does with a request
(worker.signing_queue), who may ask (api).
"""

from __future__ import annotations

from privet.core.pb import pipe_pb2

CommissionRequest = pipe_pb2.CommissionOffer | pipe_pb2.CommissionSign | pipe_pb2.CommissionRefuse
CommissionAnswer = pipe_pb2.Candidate | pipe_pb2.Commissioned



def no_picture(request: CommissionRequest) -> CommissionAnswer:
    """The answer to a request that cannot be carried out now, and was not."""
    if isinstance(request, pipe_pb2.CommissionOffer):
        return pipe_pb2.Candidate(request=request.request, answer=pipe_pb2.OFFER_ANSWER_NO_PICTURE)
    return pipe_pb2.Commissioned(request=request.request, answer=pipe_pb2.SIGNING_ANSWER_NO_PICTURE)


def to_worker(request: CommissionRequest) -> pipe_pb2.SupervisorMessage:
    """The message that carries a request."""
    match request:
        case pipe_pb2.CommissionOffer():
            return pipe_pb2.SupervisorMessage(commission_offer=request)
        case pipe_pb2.CommissionSign():
            return pipe_pb2.SupervisorMessage(commission_sign=request)
        case pipe_pb2.CommissionRefuse():
            return pipe_pb2.SupervisorMessage(commission_refuse=request)
