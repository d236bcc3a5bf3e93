// Elements from plain descriptions, and lists that change in place, so that focus and typing survive an update.

/** An element; every string becomes a text node, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Give an element these attributes; false, null and undefined take one away. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? '' : value);
  }
}

export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** One child of `target` per row, in order: made once by its key, then only updated. */
export function list(target, rows, { key, make, update }) {
  const held = new Map([...target.children].map((child) => [child.dataset.key, child]));
  const wanted = rows.map((row) => {
    const name = String(key(row));
    const child = held.get(name) ?? make(row);
    child.dataset.key = name;
    held.delete(name);
    update(child, row);
    return child;
  });
  held.forEach((child) => child.remove());
  wanted.forEach((child, index) => target.children[index] !== child && target.insertBefore(child, target.children[index] ?? null));
}

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => (word ? [...word][0] : '')).join('').toUpperCase();
}

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });

export function clock(moment) {
  const date = new Date(moment);
  return (date.toDateString() === new Date().toDateString() ? time : day).format(date);
}
