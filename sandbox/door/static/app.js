// The page: draws each state that the server streams, and posts what a person does.
import { drawApprovals } from './approvals.js';
import { drawEntra, drawEntraSwitches } from './entra.js';
import { drawGateway, drawGatewaySwitches } from './gateway.js';
import { watchReport } from './posture.js';
import { drawFailures, drawFigures, drawStatus, drawTimeline, tick } from './timeline.js';

const by = (id) => document.getElementById(id);
const own = { refused: '', said: '', away: false };
let state = null;

function draw() {
  if (!state) return;
  drawStatus(by('status'), state, own.away);
  drawFailures(by('failures'), state.failures, own);
  drawApprovals(state.approvals);
  drawEntraSwitches(by('entra-switches'), by('entra-counts'), state.entra);
  drawEntra(by('entra'), state.entra);
  drawGatewaySwitches(by('gateway-switches'), by('gateway-counts'), by('gateway-reviews'), state.gateway);
  drawGateway(by('gateway'), state.gateway);
  drawTimeline(by('timeline'), state.timeline);
  drawFigures(by('figures'), state.figures, state.approvals);
  document.body.dataset.ready = '';
}

async function post(button) {
  button.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(button.dataset.post, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: button.dataset.body ?? '{}',
    });
    const { problem, said } = await answer.json().catch(() => ({}));
    if (answer.ok && button.dataset.announce) document.dispatchEvent(new Event(button.dataset.announce));
    own.refused = answer.ok ? '' : (problem ?? `Refused with status ${answer.status}.`);
    own.said = said ?? '';
  } catch {
    own.refused = 'The door did not answer.';
  }
  button.removeAttribute('aria-busy');
  draw();
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-post]');
  if (button && button.getAttribute('aria-busy') !== 'true') post(button);
  if (event.target.closest('button[data-dismiss]')) {
    own.refused = own.said = '';
    draw();
  }
});

const stream = new EventSource('/api/stream');
stream.addEventListener('message', (event) => {
  state = JSON.parse(event.data);
  own.away = false;
  draw();
});
stream.addEventListener('error', () => {
  own.away = true;
  draw();
});
setInterval(tick, 200);
watchReport();
