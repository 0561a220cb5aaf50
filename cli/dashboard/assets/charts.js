// Charts: values under the pointer, keys on a focused chart. Also stands in reports, where places have no pages.

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
  if (href) location.assign(href);
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
  if (figure === null || event.ctrlKey || event.metaKey || event.altKey) return false;
  const { count } = chartData(figure);
  const here = Number(figure.dataset.place ?? 0);
  const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 1, End: count }[event.key];
  if (next !== undefined) mark(figure, Math.min(Math.max(1, next), count));
  else if (event.key === 'Enter' && here > 0) open(here);
  else return false;
  event.preventDefault();
  return true;
}

document.addEventListener('keydown', chartKey);
readPlaces();
