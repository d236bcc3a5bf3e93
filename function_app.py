"""Everything that can wake this app; start reading here.

The app stops here, with a sentence that names the setting and the fix, when it is not configured soundly.
"""

import azure.functions as func

from functions import gateway, graph, reports, schedules, teams, work
from shared.bootstrap import check_environment

check_environment()

app = func.FunctionApp()
app.register_functions(graph.blueprint)
app.register_functions(gateway.blueprint)
app.register_functions(teams.blueprint)
app.register_functions(work.blueprint)
app.register_functions(schedules.blueprint)
app.register_functions(reports.blueprint)
