/** What stands around every page: head, way back up, links, keys. */
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';

/** What pages may use beside their data. */
export interface Site {
  /** Page of a workflow in the Temporal UI; null where its address is not known. */
  temporalUrl: (workflowId: string) => string | null;
}

export interface Page {
  title: string;
  /** Path of the node that the page shows (`RUN/stage-01`), for the way up; null for the site's own pages. */
  path: string | null;
  /** Workflow behind the page. */
  workflowId?: string;
  /** The page changes while this path's documents change. */
  live?: string;
  /** Sister pages, for links and keys. */
  previous?: string | null;
  next?: string | null;
  body: Part;
}

export const pageHref = (path: string) => `/runs/${path.split('/').map(encodeURIComponent).join('/')}`;

export function layout(page: Page, site: Site): Html {
  const { title, path, workflowId, live, previous, next, body } = page;
  const temporal = workflowId === undefined ? null : site.temporalUrl(workflowId);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · MetaAgent-X</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/app.css">
<link rel="stylesheet" href="/assets/charts.css">
<link rel="stylesheet" href="/assets/nodes.css">
<script src="/assets/charts.js" defer></script>
<script src="/assets/app.js" defer></script>
</head>
<body${live !== undefined && html` data-live="${live}"`}>
<a class="skip" href="#main">to the content</a>
<header>
<nav aria-label="where you are"><a href="/">runs</a>${path !== null && crumbs(path)}</nav>
<nav aria-label="beside this page">${neighbour('previous', previous)}${neighbour('next', next)}${
    temporal !== null && html`<a href="${temporal}" class="temporal">Temporal UI</a>`
  }<a href="/compare">compare</a><button type="button" id="keys" hidden>keys <kbd>?</kbd></button><span id="live" role="status"></span></nav>
</header>
<main id="main" tabindex="-1">${body}</main>
</body>
</html>
`;
}

const neighbour = (rel: 'previous' | 'next', href: string | null | undefined) =>
  href != null &&
  html`<a rel="${rel === 'previous' ? 'prev' : 'next'}" href="${href}">${rel === 'previous' ? '←' : '→'} ${rel}</a>`;

/** Each part of a path as a link to its node; the last is where one is. */
function crumbs(path: string): Html {
  const parts = path.split('/');
  return html`${parts.map((part, index) => {
    const here = index === parts.length - 1;
    const target = parts.slice(0, index + 1).join('/');
    return html`<span class="slash">/</span>${here ? html`<b aria-current="page">${part}</b>` : html`<a href="${pageHref(target)}"${index === parts.length - 2 && html` rel="up"`}>${part}</a>`}`;
  })}`;
}
