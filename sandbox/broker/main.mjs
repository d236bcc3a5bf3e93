/** The sandbox's Service Bus: `node main.mjs --port 7075 --queues queues.json [--control-port 8075]`, on loopback only. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import rhea from 'rhea';
import { createControl } from './control.mjs';
import { Links } from './links.mjs';
import { Namespace } from './namespace.mjs';

const HOST = '127.0.0.1';

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '7075' }, queues: { type: 'string' }, 'control-port': { type: 'string' } },
});
if (!options.queues) throw new Error('which queues? pass --queues sandbox/queues.json');
const port = Number(options.port);
const controlPort = Number(options['control-port'] ?? (port && port + 1000)); // port 0 takes free ports for both

const { queues } = JSON.parse(readFileSync(options.queues, 'utf8'));
const namespace = new Namespace(queues, Date.now);
const switches = { refuse: false };

const container = rhea.create_container({
  id: 'sandbox-broker',
  sender_options: { autosettle: false, treat_modified_as_released: false },
  receiver_options: { credit_window: 1000, autoaccept: false, autosettle: false },
});
new Links(container, namespace, switches);
for (const event of ['connection_error', 'session_error', 'sender_error', 'receiver_error']) {
  container.on(event, () => {}); // a client may close anything with an error; rhea throws where nobody listens
}
for (const event of ['error', 'protocol_error']) container.on(event, (error) => console.error(error));

const sockets = new Set();
const broker = container.listen({ host: HOST, port, max_frame_size: 65536, tcp_no_delay: true, container_id: container.id });
broker.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
const control = createControl(namespace, switches, dropConnections);
control.listen(controlPort, HOST);
await Promise.all([once(broker, 'listening'), once(control, 'listening')]);

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
console.log(`listening on ${HOST}:${broker.address().port}\ncontrol on ${HOST}:${control.address().port}`);

function dropConnections() {
  const { size } = sockets;
  // Only a socket that ends with an error makes rhea let go of its connection.
  for (const socket of sockets) socket.destroy(new Error('dropped on request'));
  return size;
}
