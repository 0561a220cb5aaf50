import { describe, expect, it } from 'vitest';
import type { SamplingSettings } from '../../../shared/domain/sampling.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { checkGenerate, checkSampling, checkSequences } from './check-request.ts';

const good: SamplingSettings = { temperature: 1, topP: 0.9, topK: 40, minP: 0.05, maxTokens: 8, stopStrings: ['\n'] };
const config = { vocabSize: 10, maxPositions: 6 } as DecoderConfig;
const generate = (promptIds: number[]) => ({
  version: 'v',
  promptIds: Int32Array.from(promptIds),
  sampling: good,
  seedKey: 's',
});

describe('sampling settings', () => {
  it('within their ranges pass', () => {
    expect(() => checkSampling(good)).not.toThrow();
    expect(() => checkSampling({ ...good, temperature: 0, topP: 1, topK: 0, minP: 0 })).not.toThrow();
  });

  it.each([
    [{ temperature: -0.1 }, /temperature is -0.1; expected 0 \(greedy\) to 100/],
    [{ temperature: NaN }, /temperature is NaN/],
    [{ topP: 0 }, /topP is 0; expected more than 0, at most 1/],
    [{ topP: 1.01 }, /topP is 1.01/],
    [{ topK: -1 }, /topK is -1; expected a whole number of at least 0/],
    [{ topK: 2.5 }, /topK is 2.5/],
    [{ minP: 1 }, /minP is 1; expected at least 0, less than 1/],
    [{ maxTokens: 0 }, /maxTokens is 0; expected a whole number of at least 1/],
  ])('%o are refused', (change, message) => {
    expect(() => checkSampling({ ...good, ...change })).toThrow(message);
  });
});

describe('prompts', () => {
  it('longer than the context, empty, or with an unknown token are refused', () => {
    expect(() => checkGenerate(generate([1, 2, 3, 4, 5]), config)).not.toThrow();
    expect(() => checkGenerate(generate([1, 2, 3, 4, 5, 6]), config)).toThrow(
      /prompt length is 6; expected less than the model's context of 6 tokens/,
    );
    expect(() => checkGenerate(generate([]), config)).toThrow(/the prompt is empty; expected at least one token/);
    expect(() => checkGenerate(generate([1, 10]), config)).toThrow(/a token id is 10; expected 0 to 9/);
  });

  it('with a response longer than the context are refused by the name of their sequence', () => {
    const promptIds = Int32Array.of(1, 2, 3, 4);
    const sequence = { id: 'r/q-1', promptIds, responseIds: Int32Array.of(5, 6, 7) };
    expect(() => checkSequences([sequence], config)).toThrow(/length of sequence 'r\/q-1' is 7; expected at most 6/);
  });
});
