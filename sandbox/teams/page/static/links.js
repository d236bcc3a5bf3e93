// Links are shown in full first; only web and mail addresses can be opened, and never in this tab.
import { isSafe } from './markdown.js';

const by = (id) => document.getElementById(id);

/** Ask whether to follow `url`, and say where it leads. */
export function offerLink(url) {
  const safe = isSafe(url);
  by('link-said').textContent = safe ? 'A card or a message leads to:' : 'This is not a web or mail address, so it is not opened:';
  by('link-url').textContent = url;
  by('link-open').hidden = !safe;
  if (safe) by('link-open').href = url;
  else by('link-open').removeAttribute('href');
  by('link').showModal();
}

by('link-open').addEventListener('click', () => by('link').close());
