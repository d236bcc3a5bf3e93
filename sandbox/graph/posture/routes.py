"""Puts the routes of a generated tenant in front of the cast's, in both versions of Graph."""

from starlette.routing import Route

from sandbox.graph.access import READ
from sandbox.graph.batch import batch_rows
from sandbox.graph.posture.control import posture_control_routes
from sandbox.graph.posture.directory import directory_reads
from sandbox.graph.posture.grants import grant_reads
from sandbox.graph.posture.live import Posture, in_front_of
from sandbox.graph.posture.reports import beta_report_reads, report_reads
from sandbox.graph.routing import Row, graph_routes
from sandbox.graph.state import GraphState

READ_ALSO = frozenset(
    {"AuditLog.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory", "AgentIdentity.Read.All"}
)


def posture_routes(state: GraphState, existing: list[Row]) -> list[Route]:
    """The existing rows with a generated tenant in front of them, in both versions, and the routes of its controls."""
    posture = Posture(state)
    reads = [*grant_reads(), *report_reads(), *directory_reads()]
    beta = [*batch_rows(), *in_front_of(existing, [*beta_report_reads(), *reads], posture)]
    allowed = READ | READ_ALSO
    return [
        *posture_control_routes(posture),
        *graph_routes(state, in_front_of(existing, reads, posture), allowed),
        *graph_routes(state, beta, allowed, version="beta"),
    ]
