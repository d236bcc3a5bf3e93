"""What the gateway says about itself: health, licence, and the names of its privileged groups."""

from starlette.responses import JSONResponse, Response

from sandbox.gateway.auth import Endpoint, Role
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import Call


async def get_health(_state: GatewayState, _call: Call) -> Response:
    return JSONResponse({"liveness": "OK"})


async def get_server_info(state: GatewayState, _call: Call) -> Response:
    license_type = state.switches.values["license"]
    return JSONResponse(
        {
            "version": "1.148.0",
            "auth_method": "oidc",
            "tenancy_type": "selfhosted",
            "log_level": "INFO",
            "license_info": {
                "type": license_type,
                "status": "valid",
                "is_valid": True,
                "allowed_hosts": ["*"],
                "features": None,
            },
        }
    )


async def get_auth_config(state: GatewayState, _call: Call) -> Response:
    return JSONResponse(
        {
            "auth_method": "oidc",
            "admin_role_name": state.admin_group,
            "auditor_role_name": state.auditor_group,
            "webapp_users_management_status": "active",
        }
    )


ROUTES = [
    Endpoint("GET", "/healthz", Role.PUBLIC, get_health),
    Endpoint("GET", "/serverinfo", Role.READERS, get_server_info),
    Endpoint("GET", "/serverconfig/auth", Role.ADMIN_OR_AUDITOR, get_auth_config),
]
