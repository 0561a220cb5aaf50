/**
 * Writes the text that the toy tokenizer is trained on: generated cold-start examples, each distinct line once.
 * Run from the repository root: `node --import tsx runs/assets/write-toy-corpus.ts > runs/assets/toy-corpus.txt`
 */
import { generateColdStartExamples } from '../../shared/toy/cold-start.ts';

const lines = new Set<string>();
for (const { messages, response } of generateColdStartExamples({ seedKey: 'toy-corpus', count: 500 })) {
  for (const text of [...messages.map(({ content }) => content), response]) {
    for (const line of text.split('\n')) lines.add(line);
  }
}
process.stdout.write(`${[...lines].join('\n')}\n`);
