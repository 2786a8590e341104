"""``POST /v1/series/{series}/observations``: readings in."""

from frugal_edge.gateway.gateway import Gateway
from frugal_edge.http.call import Answer, Call, json_answer
from frugal_edge.http.payload import read_json
from frugal_edge.http.problems import ProblemError
from frugal_edge.strict_json import shown

MOST_REASONS = 100
SOURCE = "http"


class Observations:
    """Where readings come in."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def post(self, call: Call) -> Answer:
        """Store readings: 200 if all were accepted, 207 if some were, 422 if none was."""
        series_id = call.params["series"]
        if series_id not in self._gateway.installed.targets:
            raise ProblemError(404, f"no series {shown(series_id)} here")
        receipt = self._gateway.observe(series_id, read_json(call).value, SOURCE)
        told = {
            "accepted": receipt.accepted,
            "refused": len(receipt.refused),
            "reasons": [
                {"index": index, "reason": reason}
                for index, reason in receipt.refused[:MOST_REASONS]
            ],
        }
        if receipt.accepted:
            return json_answer(told, 207 if receipt.refused else 200)
        first = receipt.refused[0][1]
        raise ProblemError(422, f"none of {len(receipt.refused)} rows accepted: {first}", more=told)
