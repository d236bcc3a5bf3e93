// Elements from plain descriptions, and a page that changes in place so that focus and scrolling survive an update.

/** An element; every string becomes a text node, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Make the children of `target` equal to `children`, keeping every element that is still there. */
export function show(target, children) {
  const wanted = children.flat().filter(Boolean);
  const byKey = new Map([...target.children].map((child) => [child.dataset.key, child]));
  wanted.forEach((child, index) => {
    const current = target.childNodes[index];
    const kept = typeof child === 'string' ? null : byKey.get(child.dataset.key);
    if (kept && child.dataset.key !== undefined) {
      if (kept !== current) target.insertBefore(kept, current ?? null);
      morph(kept, child);
    } else if (!current) target.append(child);
    else if (current.dataset?.key !== undefined || (child.dataset && child.dataset.key !== undefined)) target.insertBefore(child, current);
    else morph(current, child);
  });
  while (target.childNodes.length > wanted.length) target.lastChild.remove();
}

function morph(current, wanted) {
  if (typeof wanted === 'string') wanted = document.createTextNode(wanted);
  if (current.nodeType !== wanted.nodeType || current.nodeName !== wanted.nodeName) return current.replaceWith(wanted);
  if (current.nodeType === Node.TEXT_NODE) {
    if (current.data !== wanted.data) current.data = wanted.data;
    return undefined;
  }
  for (const { name } of [...current.attributes]) if (!wanted.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  return show(current, [...wanted.childNodes].map((child) => (child.nodeType === Node.TEXT_NODE ? child.data : child)));
}
