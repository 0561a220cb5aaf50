// What pages do beyond being read: values under the pointer, keys, live updates. Every page works without it.

/** @type {[string, string][]} */
let places = [];

function readPlaces() {
  const block = document.getElementById('places');
  places = block === null ? [] : JSON.parse(block.textContent);
}

function chartData(figure) {
  const block = document.getElementById(`data-${figure.dataset.chart}`);
  return block === null ? null : JSON.parse(block.textContent);
}

let tip = null;
function tooltip() {
  if (tip === null || !tip.isConnected) {
    tip = document.createElement('div');
    tip.id = 'tip';
    tip.hidden = true;
    document.body.append(tip);
  }
  return tip;
}

/** Marks a place on every chart of the page and shows its values beside `figure`. */
function mark(figure, place) {
  for (const other of document.querySelectorAll('figure[data-chart]')) {
    const data = chartData(other);
    const x = data.left + (place / Math.max(1, data.count)) * (data.right - data.left);
    other.querySelector('.cursor').setAttribute('d', `M${x.toFixed(1)},${data.top}V${data.bottom}`);
  }
  const data = chartData(figure);
  const box = tooltip();
  box.replaceChildren(
    line(places[place - 1]?.[0] ?? `iteration ${place}`, 'b'),
    ...data.series.map(({ name, values }) => line(`${name}: ${values[place - 1] ?? 'not measured'}`, 'span')),
  );
  const svg = figure.querySelector('svg').getBoundingClientRect();
  box.hidden = false;
  const x = svg.left + (svg.width * (data.left + (place / Math.max(1, data.count)) * (data.right - data.left))) / 400;
  box.style.left = `${Math.min(x + 8, window.innerWidth - box.offsetWidth - 8) + window.scrollX}px`;
  box.style.top = `${svg.top + window.scrollY + 4}px`;
  figure.dataset.place = String(place);
}

function line(text, kind) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

function unmark() {
  for (const cursor of document.querySelectorAll('.cursor')) cursor.setAttribute('d', '');
  tooltip().hidden = true;
}

function placeAt(figure, clientX) {
  const data = chartData(figure);
  const svg = figure.querySelector('svg').getBoundingClientRect();
  const x = ((clientX - svg.left) / svg.width) * 400;
  const place = Math.round(((x - data.left) / (data.right - data.left)) * Math.max(1, data.count));
  return Math.min(Math.max(1, place), data.count);
}

const figureOf = (event) => (event.target instanceof Element ? event.target.closest('figure[data-chart]') : null);
const open = (place) => {
  const href = places[place - 1]?.[1];
  if (href !== undefined) location.assign(href);
};

document.addEventListener('pointermove', (event) => {
  const figure = figureOf(event);
  if (figure === null || event.target.closest('svg') === null) unmark();
  else mark(figure, placeAt(figure, event.clientX));
});
document.addEventListener('click', (event) => {
  const figure = figureOf(event);
  if (figure !== null && event.target.closest('svg') !== null) open(placeAt(figure, event.clientX));
});
document.addEventListener('focusout', unmark);

/** Arrows on a focused chart; returns true where the key was one of its own. */
function chartKey(event) {
  const figure = figureOf(event);
  if (figure === null) return false;
  const { count } = chartData(figure);
  const here = Number(figure.dataset.place ?? 0);
  const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 1, End: count }[event.key];
  if (next !== undefined) mark(figure, Math.min(Math.max(1, next), count));
  else if (event.key === 'Enter' && here > 0) open(here);
  else return false;
  event.preventDefault();
  return true;
}

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
  if (chartKey(event)) return;
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

readPlaces();
const button = document.getElementById('keys');
button.hidden = false;
button.addEventListener('click', showKeys);
watch();
