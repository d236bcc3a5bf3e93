/** The broker's HTTP side for the sandbox: counts, dropped connections, refused sends. */
import { createServer } from 'node:http';

/** An HTTP server, not yet listening. `dropConnections()` answers how many it closed. */
export function createControl(namespace, switches, dropConnections) {
  const routes = {
    'GET /sandbox/queues': () => namespace.counts(),
    'POST /sandbox/drop-connections': () => ({ dropped: dropConnections() }),
    'GET /sandbox/switches': () => switches,
    'PUT /sandbox/switches': (body) => {
      if (typeof body?.refuse !== 'boolean') return undefined;
      switches.refuse = body.refuse;
      if (switches.refuse) dropConnections();
      return switches;
    },
  };
  return createServer(async (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    if (!route) return send(response, 404, { error: 'not-found' });
    const answer = route(await readJson(request));
    return answer ? send(response, 200, answer) : send(response, 400, { error: 'expected {"refuse": true or false}' });
  });
}

async function readJson(request) {
  const chunks = await request.toArray();
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
