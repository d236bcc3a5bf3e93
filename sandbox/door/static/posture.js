// The newest posture report in one line: what it counts, who opens it, and that one is being made.
import { h, show } from './dom.js';
import { age } from './parts.js';

const by = (id) => document.getElementById(id);
const SLOW_MS = 15000;
const FAST_MS = 1500;
const PATIENCE_MS = 120000;
const own = { report: null, away: false, asked: null, timer: 0 };

/** Look now and again; often while a report is being made. */
export function watchReport() {
  document.addEventListener('report-asked', () => {
    own.asked = { at: Date.now(), before: own.report?.id };
    look();
  });
  document.addEventListener('visibilitychange', () => document.hidden || look());
  setInterval(draw, 1000);
  look();
}

async function look() {
  clearTimeout(own.timer);
  try {
    own.report = await (await fetch('/api/report')).json();
    own.away = false;
  } catch {
    own.away = true;
  }
  if (own.asked && (own.report?.id !== own.asked.before || Date.now() - own.asked.at > PATIENCE_MS)) own.asked = null;
  draw();
  clearTimeout(own.timer);
  if (!document.hidden) own.timer = setTimeout(look, own.asked ? FAST_MS : SLOW_MS);
}

function draw() {
  const { report, asked } = own;
  by('posture-made').textContent = own.away ? 'The door does not answer.' : asked ? 'A report is being made …' : said(report);
  by('posture-make').disabled = Boolean(asked);
  show(by('posture-counts'), Object.entries(report?.counts ?? {}).map(severity));
  show(by('posture-links'), report?.made ? [h('span', { class: 'lead' }, 'Open it as'), ...report.readers.map((one) => link(one.name, one.url)), link('somebody else', report.other)] : []);
}

function said(report) {
  if (!report) return '';
  if (report.problem) return report.problem;
  return `made ${age(report.made)} ago${report.fresh ? `, ${report.fresh} new or worse` : ''}`;
}

const severity = ([name, count]) => h('li', { class: `severity ${name}${count ? '' : ' none'}`, 'data-key': name }, h('b', {}, count.toLocaleString('en')), ` ${name}`);

const link = (name, url) => h('a', { class: 'button-link', href: url, target: '_blank', rel: 'noopener', 'data-key': url, 'aria-label': `Open the newest report as ${name}` }, name);
