/**
 * A run's report as one HTML file that needs nothing else: style and script stand in it, and its own policy forbids
 * everything that is not theirs. Texts of models pass through the same escaping as on the dashboard.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { scriptView } from '../dashboard/charts/syntax.ts';
import { html, jsonBlock } from '../dashboard/html.ts';
import type { Html } from '../dashboard/html.ts';
import { facts, status, textBox } from '../dashboard/pages/parts.ts';
import { configuration, evaluationTable, iterationTable, noLink, stageTable } from '../dashboard/pages/run-tables.ts';
import { timeline } from '../dashboard/pages/timeline.ts';
import { clip, duration, moment, version } from '../view/numbers.ts';
import type { ReportData } from './report-data.ts';
import type { DesignSample, QuestionSamples } from './sample-designs.ts';

const asset = (name: string) => readFile(new URL(`../dashboard/assets/${name}`, import.meta.url), 'utf8');
const digestOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** `program` is what made the report. */
export async function htmlReport(data: ReportData, program: string): Promise<string> {
  const [base, charts, nodes, script] = await Promise.all(
    ['app.css', 'charts.css', 'nodes.css', 'charts.js'].map(asset),
  );
  const style = [base, charts, nodes].join('\n');
  const policy = `default-src 'none'; style-src ${digestOf(style)}; script-src ${digestOf(script!)}; base-uri 'none'; form-action 'none'`;
  // Whole elements as values: digests hold for every character between the tags.
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    html`<title>${data.run._id} · MetaAgent-X report</title>`.markup,
    `<style>${style}</style></head>`,
    html`<body><main id="main">${body(data, program)}</main>`.markup,
    `<script>${script!}</script></body></html>\n`,
  ].join('\n');
}

function body(data: ReportData, program: string): Html {
  const { run, iterations, evaluations, samples } = data;
  const took = run.finishedAt === undefined ? null : duration(run.finishedAt.getTime() - run.createdAt.getTime());
  return html`<h1>${run._id} ${status(run.status)}</h1>
    <p>${run.recipe.description}</p>
    ${facts([
      ['recipe', `${run.recipe.name}, seed ${run.recipe.seed}`],
      ['started', moment(run.createdAt)],
      ['took', took],
      ['program', run.codeVersion],
      [
        'failure',
        run.failure === undefined ? null : html`<b class="bad">${run.failure.name}</b>: ${run.failure.message}`,
      ],
      ['report by', program],
    ])}
    <section id="charts" aria-label="charts">${timeline(data, () => null)}</section>
    ${jsonBlock(
      'places',
      iterations.map(({ stage, iteration }) => [`stage ${stage} · iteration ${iteration}`, null]),
    )}
    <section id="evaluations">
      <h2>Held-out evaluations</h2>
      ${evaluationTable(evaluations, noLink)}
    </section>
    <section id="stages">
      <h2>Stages</h2>
      ${stageTable(data, noLink)}
    </section>
    <section id="designs">
      <h2>Designs before and after each stage</h2>
      ${
        samples.length === 0
          ? html`<p class="none">fewer than two evaluations: nothing to compare</p>`
          : html`<p>The questions whose score rose most, and the one that fell most where one did.</p>
              ${samples.map(questionBlock)}`
      }
    </section>
    <section id="iterations">
      <h2>Iterations</h2>
      ${iterationTable(iterations, noLink)}
    </section>
    <section id="configuration">
      <h2>Configuration, environment, data</h2>
      ${configuration(data)}
    </section>`;
}

const textShown = 2_000;
const cut = (text: string) => (text.length > textShown ? `${text.slice(0, textShown)} …` : text);

const questionBlock = ({ text, kind, before, after, samples, designs }: QuestionSamples): Html =>
  html`<article class="question-samples">
    <h3>${before} → ${after} of ${samples} right${kind !== null && `, ${clip(kind, 80)}`}</h3>
    ${textBox(cut(text))}
    ${designs.map(designBlock)}
  </article>`;

function designBlock({ evaluation, policyVersion, outcome, pattern, script, answer, correct }: DesignSample): Html {
  const what = outcome === 'valid' ? clip(pattern ?? 'plain', 40) : outcome;
  const said =
    answer !== null &&
    html`<p>
      answer ${clip(answer, 200)}
      ${correct === null ? '' : correct ? html`<b class="good">right</b>` : html`<b class="bad">wrong</b>`}
    </p>`;
  return html`<h4>${evaluation} (${version(policyVersion)}): ${what}</h4>
    ${script !== null && scriptView(cut(script), null)}${said}`;
}
