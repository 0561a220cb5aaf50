/** The language's documentation as text, printed from the table that the isolate checks calls against. */
import { apiBuilders, apiObjects, apiReplyFields, type ApiBuilder } from './api.ts';

const optionLine = ({ name, required, doc }: ApiBuilder['options'][number]) =>
  `    ${name}${required ? '' : '?'}: ${doc}`;

function builderText(builder: ApiBuilder): string {
  const short =
    builder.shorthand === null
      ? ''
      : builder.second === null
        ? `; short: ${builder.name}(${builder.shorthand})`
        : `; short: ${builder.name}(${builder.shorthand}, ${builder.second}?)`;
  return [`- ${builder.signature}`, `  ${builder.doc}${short}`, ...builder.options.map(optionLine)].join('\n');
}

function objectText({ name, signature, doc }: (typeof apiObjects)[number], tools: readonly string[]): string {
  return `- ${signature}\n  ${doc}${name === 'tools' ? `; granted: ${tools.join(', ')}` : ''}`;
}

/** `tools`: names that this design may use; without any, tools are left out. */
export function apiText(tools: readonly string[]): string {
  const objects = apiObjects.filter(({ name }) => name !== 'tools' || tools.length > 0);
  return [
    'Nodes:',
    ...apiBuilders.map(builderText),
    '',
    'Values:',
    ...objects.map((object) => objectText(object, tools)),
    '',
    'Fields of a reply:',
    ...apiReplyFields.map(({ name, doc }) => `- ${name}: ${doc}`),
  ].join('\n');
}
