"""HTTP and timer functions of every shape; what the timers did is read back over HTTP."""

import asyncio
import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
bp = func.Blueprint()

if "GREETING" not in os.environ:
    raise LookupError("GREETING is not set")

seen: list[dict[str, object]] = []


@bp.route(route="greeting", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def greeting(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ["GREETING"], headers={"X-Seen": req.params.get("name", "")})


@bp.route(route="greeting", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body(), mimetype=req.headers["content-type"], status_code=201)


@bp.route(route="things/{id:int}/{part?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def thing(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({"route": dict(req.route_params), "url": req.url}))


@bp.route(route="things/all", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def all_things(req: func.HttpRequest) -> str:
    return "all"


@bp.route(route="headers", auth_level=func.AuthLevel.ANONYMOUS)
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(req.headers)), mimetype="application/json")


@bp.route(route="locked")
async def locked(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@bp.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("nobody may read this")


@bp.route(route="slow", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    seen.append({"slow": "started"})
    await asyncio.sleep(1)
    return func.HttpResponse("done")


@bp.route(route="seen", auth_level=func.AuthLevel.ANONYMOUS)
async def what_was_seen(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@bp.timer_trigger(schedule="* * * * * *", arg_name="timer")
async def tick(timer: func.TimerRequest) -> None:
    seen.append({"tick": timer.past_due})


@bp.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True)
def yearly(timer: func.TimerRequest) -> None:
    seen.append({"yearly": timer.past_due})


app.register_functions(bp)
