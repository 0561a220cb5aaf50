/**
 * Mathematics benchmarks: AIME 2024/2025, GSM8K, MATH, DAPO-math, Polaris. Field names follow the files as their
 * publishers upload them, with the spellings of the common re-uploads.
 */
import { hashAnswer, lastBoxed } from '../../verify/extract-answer.ts';
import type { Question } from '../../domain/question.ts';
import { contentId } from '../content-id.ts';
import { numericOrNull } from '../jsonl.ts';
import { asRecord, describe, optionalText, refuse, requiredAnswer, requiredText } from '../record.ts';
import type { Place, RawRecord } from '../record.ts';
import type { QuestionFormat } from './format.ts';

/** AIME answers are whole numbers from 0 to 999, often written with leading zeros or a degree sign. */
export const aime: QuestionFormat = {
  name: 'aime',
  about: 'AIME 2024/2025: problem|Problem|question with an answer from 0 to 999',
  parse(record, place) {
    const text = requiredText(record, ['problem', 'Problem', 'question'], place);
    const field = record['answer'] === undefined ? 'Answer' : 'answer';
    const written = requiredAnswer(record, ['answer', 'Answer'], place);
    const match = /^\$?\s*(\d{1,3})(?:\s*\^?\{?\\circ\}?|°)?\s*\$?$/.exec(written);
    if (match === null) refuse(place, field, `is '${written}', expected a whole number from 0 to 999`);
    return mathQuestion(
      aimeId(record, place) ?? contentId('aime', text),
      text,
      String(Number(match[1])),
      yearOf(record),
    );
  },
};

/** A bare row number says nothing beside other files, so the year joins it. */
function aimeId(record: RawRecord, place: Place): string | null {
  const id = optionalText(record, ['ID', 'id', 'problem_idx', 'unique_id'], place);
  if (id === null || !/^\d+$/.test(id)) return id;
  const year = yearOf(record);
  return year === null ? null : `aime-${year.slice(5)}-${id}`;
}

function yearOf(record: RawRecord): string | null {
  for (const value of [record['year'], record['url'], record['ID']]) {
    const year = typeof value === 'string' || typeof value === 'number' ? /20\d\d/.exec(String(value)) : null;
    if (year !== null) return `AIME ${year[0]}`;
  }
  return null;
}

export const gsm8k: QuestionFormat = {
  name: 'gsm8k',
  about: 'GSM8K: question, answer ending in "#### n"',
  parse(record, place) {
    const text = requiredText(record, ['question'], place);
    const answer = requiredText(record, ['answer'], place);
    const gold = hashAnswer(answer)?.replace(/,(?=\d{3})/g, '');
    if (gold === undefined) refuse(place, 'answer', "has no line '#### n' with the final answer");
    if (!/^-?\$?\d+(?:\.\d+)?$/.test(gold)) refuse(place, 'answer', `ends in '#### ${gold}', expected a number`);
    return mathQuestion(contentId('gsm8k', text), text, gold.replace('$', ''), null);
  },
};

export const math: QuestionFormat = {
  name: 'math',
  about: 'MATH and MATH-500: problem, level, type|subject, solution with \\boxed{}, answer',
  parse(record, place) {
    const text = requiredText(record, ['problem'], place);
    const given = optionalText(record, ['answer'], place);
    const gold = given ?? lastBoxed(requiredText(record, ['solution'], place));
    if (gold === null || gold === '') refuse(place, 'solution', "holds no '\\boxed{…}' with the final answer");
    return {
      ...mathQuestion(optionalText(record, ['unique_id', 'id'], place) ?? contentId('math', text), text, gold, null),
      kind: optionalText(record, ['type', 'subject'], place),
      difficulty: numericOrNull(record, ['level']),
    };
  },
};

/** The instructions that DAPO wraps around each problem; the agents' own prompts take their place. */
const dapoWrapper =
  /^Solve the following math problem step by step\.[\s\S]*?answer to the problem\.\s*([\s\S]*?)\s*Remember to put your answer on its own line after "Answer:"\.?\s*$/;

export const dapo: QuestionFormat = {
  name: 'dapo',
  about: 'DAPO-Math-17k, raw (prompt messages, reward_model.ground_truth) or processed (prompt, solution)',
  parse(record, place) {
    const prompt = promptText(record, place);
    const text = dapoWrapper.exec(prompt)?.[1] ?? prompt.trim();
    if (text === '') refuse(place, 'prompt', 'holds instructions but no problem');
    const extra =
      record['extra_info'] === undefined || record['extra_info'] === null
        ? {}
        : asRecord(record['extra_info'], place, 'extra_info');
    const id = optionalText(extra, ['index'], place) ?? contentId('dapo', text);
    return mathQuestion(id, text, groundTruth(record, place), optionalText(record, ['ability'], place));
  },
};

function promptText(record: RawRecord, place: Place): string {
  const prompt = record['prompt'];
  if (!Array.isArray(prompt)) return requiredText(record, ['prompt'], place);
  const last: unknown = prompt.filter((turn: unknown) => (turn as RawRecord | null)?.['role'] === 'user').pop();
  if (last === undefined) refuse(place, 'prompt', `is ${describe(prompt)} without a turn of role 'user'`);
  return requiredText(asRecord(last, place, 'prompt[]'), ['content'], place);
}

function groundTruth(record: RawRecord, place: Place): string {
  if (record['reward_model'] === undefined || record['reward_model'] === null) {
    return requiredAnswer(record, ['answer', 'solution'], place);
  }
  const model = asRecord(record['reward_model'], place, 'reward_model');
  const truth = model['ground_truth'];
  if (truth === undefined || truth === null)
    refuse(place, 'reward_model.ground_truth', 'is missing, expected the answer');
  return requiredAnswer({ 'reward_model.ground_truth': truth }, ['reward_model.ground_truth'], place);
}

export const polaris: QuestionFormat = {
  name: 'polaris',
  about: 'Polaris-53K: problem, answer, difficulty as solved/tried',
  parse(record, place) {
    const text = requiredText(record, ['problem', 'question'], place);
    const gold = requiredAnswer(record, ['answer'], place);
    const rate = optionalText(record, ['difficulty'], place);
    const match = rate === null ? null : /^(\d+)\s*\/\s*(\d+)$/.exec(rate);
    if (rate !== null && (match === null || Number(match[2]) === 0))
      refuse(place, 'difficulty', `is '${rate}', expected solved/tried such as '3/8'`);
    const difficulty = match === null ? null : 1 - Number(match[1]) / Number(match[2]);
    return { ...mathQuestion(contentId('polaris', text), text, gold, null), difficulty };
  },
};

function mathQuestion(id: string, text: string, gold: string, kind: string | null): Question {
  return { id, text: text.trim(), kind, difficulty: null, verifier: { type: 'math', gold } };
}
