// Markdown as Teams reads it: emphasis, lists and links; no image, no HTML, and mentions only where the sender declared them.

const SAFE_LINK = /^(https?:|mailto:)/i;
const UNKNOWN_TO_TEAMS = ['image', 'heading', 'lheading', 'table', 'code', 'fence', 'blockquote', 'hr', 'reference'];
const [OPEN, CLOSE] = ['\uE000', '\uE001'];

const reader = window.markdownit({ html: false, linkify: true, breaks: true }).disable(UNKNOWN_TO_TEAMS);
reader.validateLink = (url) => SAFE_LINK.test(url.trim());

/** HTML of `text`; each `<at>name</at>` that `entities` declares becomes a mention, any other stays text. */
export function markdown(text, entities = []) {
  const mentions = entities.filter((entity) => entity.type === 'mention' && entity.text);
  const clean = text.replaceAll(OPEN, '').replaceAll(CLOSE, '');
  const marked = mentions.reduce((rest, { text: mention }, index) => rest.replaceAll(mention, `${OPEN}${index}${CLOSE}`), clean);
  return reader.render(marked).replaceAll(/\uE000(\d+)\uE001/g, (_, index) => mentionHtml(mentions[Number(index)]));
}

export function isSafe(url) {
  return SAFE_LINK.test(String(url).trim());
}

function mentionHtml({ text, mentioned }) {
  const name = mentioned?.name ?? text.replaceAll(/<\/?at>/g, '');
  return `<span class="mention">${reader.utils.escapeHtml(name)}</span>`;
}
