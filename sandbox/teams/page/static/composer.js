// The line at the bottom: one draft for each person and conversation; Enter sends, Shift+Enter breaks the line.

const form = document.getElementById('composer');
const draft = document.getElementById('draft');
const drafts = new Map();
let open = '';

/** Show the draft of a conversation, named by a key. */
export function showDraft(key, placeholder) {
  draft.placeholder = placeholder;
  if (key === open) return;
  drafts.set(open, draft.value);
  draft.value = drafts.get(key) ?? '';
  open = key;
}

/** Call `send` with each text; what was not sent comes back to the line. */
export function onSend(send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = draft.value.trim();
    if (!text) return;
    draft.value = '';
    if (!(await send(text))) draft.value ||= text;
  });
  draft.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
