// What pages do beyond being read: keys and live updates. Every page works without it. Comes after charts.js.

const follow = (selector) => document.querySelector(selector)?.click();
const keys = [
  ['g', 'all runs', () => location.assign('/')],
  ['u', 'up one level', () => follow('a[rel="up"]')],
  ['k', 'previous', () => follow('a[rel="prev"]')],
  ['j', 'next', () => follow('a[rel="next"]')],
  ['t', 'the same in the Temporal UI', () => follow('a.temporal')],
  ['c', 'compare runs', () => location.assign('/compare')],
  ['?', 'these keys', () => showKeys()],
];

function showKeys() {
  let dialog = document.getElementById('key-list');
  if (dialog === null) {
    dialog = document.createElement('dialog');
    dialog.id = 'key-list';
    dialog.setAttribute('aria-label', 'keys');
    const list = document.createElement('dl');
    const charts = ['← → Enter', 'on a chart: move, open the iteration'];
    for (const [key, does] of [...keys, charts]) list.append(line(key, 'dt'), line(does, 'dd'));
    const close = line('close', 'button');
    close.addEventListener('click', () => dialog.close());
    dialog.append(list, close);
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest('input, select, textarea, dialog[open]') !== null) return;
  const found = keys.find(([key]) => key === event.key);
  if (found !== undefined) {
    event.preventDefault();
    found[2]();
  }
});

/** Puts the page's new content in the old one's place, part by part, so that scroll and open details stay. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const now = document.getElementById('main');
  const next = fresh.getElementById('main');
  const parts = [...now.children];
  const nextParts = [...next.children];
  if (parts.length !== nextParts.length) now.replaceChildren(...nextParts);
  else
    parts.forEach((part, index) => {
      const other = nextParts[index];
      const opened = [...part.querySelectorAll('details')].map((details) => details.open);
      const ticked = [...part.querySelectorAll('input:checked')].map((input) => input.value);
      for (const details of part.querySelectorAll('details')) details.removeAttribute('open');
      if (part.outerHTML !== other.outerHTML) part.replaceWith(other);
      const standing = now.children[index];
      [...standing.querySelectorAll('details')].forEach((details, at) => (details.open = opened[at] ?? false));
      for (const input of standing.querySelectorAll('input')) input.checked = ticked.includes(input.value);
    });
  if (fresh.body.dataset.live === undefined) {
    delete document.body.dataset.live;
    watching?.close();
    say('');
  }
  readPlaces();
}

const say = (text) => (document.getElementById('live').textContent = text);
let watching = null;
let refreshing = Promise.resolve();
function watch() {
  const path = document.body.dataset.live;
  if (path === undefined) return;
  watching = new EventSource(`/live/${path.split('/').map(encodeURIComponent).join('/')}`);
  watching.addEventListener('watching', () => {
    say('live');
    // What changed between the page and the watch.
    refreshing = refreshing.then(refresh).catch(() => undefined);
  });
  watching.addEventListener('changed', () => {
    refreshing = refreshing.then(refresh).catch(() => undefined);
  });
  watching.addEventListener('error', () => say('waiting for the dashboard'));
}

const button = document.getElementById('keys');
button.hidden = false;
button.addEventListener('click', showKeys);
watch();
