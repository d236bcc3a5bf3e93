"""A queue function that does as its message says; what it did is read back over HTTP."""

import asyncio
import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

seen: list[dict[str, object]] = []
at_once = {"now": 0, "most": 0}


@app.route(route="seen")
async def what_was_seen(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({"seen": seen, "most_at_once": at_once["most"]}))


@app.route(route="bare")
async def bare(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


@app.service_bus_queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="ServiceBus")
async def work(message: func.ServiceBusMessage) -> None:
    order = json.loads(message.get_body())
    at_once["now"] += 1
    at_once["most"] = max(at_once.values())
    seen.append(
        {
            "work": order["name"],
            "delivery_count": message.delivery_count,
            "message_id": message.message_id,
            "properties": message.application_properties,
            "enqueued": message.enqueued_time_utc.isoformat() if message.enqueued_time_utc else None,
        }
    )
    try:
        await asyncio.sleep(order.get("seconds", 0))
        if order.get("fails", 0) >= (message.delivery_count or 0):
            raise RuntimeError("this delivery fails")
        seen.append({"done": order["name"]})
    finally:
        at_once["now"] -= 1
