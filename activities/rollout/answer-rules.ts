/** How an execution finds the answer in a reply, and groups equal ones: by the rules of the question's verifier. */
import type { Question } from '../../shared/domain/question.ts';
import { extractAnswer } from '../../shared/verify/extract-answer.ts';
import { answersEqual } from '../../shared/verify/math.ts';
import { extractProgram, programsEqual } from '../../shared/verify/program.ts';
import type { ScriptRun } from '../runtime/script/contract.ts';

/** What a program does can only be told by running it, and its tests are out of reach here: programs go by their text. */
export const answerRules = ({ type }: Question['verifier']): Pick<ScriptRun, 'extractAnswer' | 'answersEqual'> =>
  type === 'code' ? { extractAnswer: extractProgram, answersEqual: programsEqual } : { extractAnswer, answersEqual };
