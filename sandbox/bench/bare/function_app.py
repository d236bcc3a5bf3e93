"""A function that does nothing: what the host alone costs, to compare with."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.function_name("bare")
@app.route("bare", methods=["POST"])
async def bare(req: func.HttpRequest) -> func.HttpResponse:
    """202 to whatever comes."""
    req.get_body()
    return func.HttpResponse(status_code=202)
